package io.github.batchnorm.example;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.github.batchnorm.BatchNormBackwardGraph;
import io.github.batchnorm.BatchNormGraph;
import io.github.batchnorm.BatchNormLayer;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.interactions.Actions;

/**
 * The values come back from the page's elements and are compared with the library's, bit for bit.
 */
class PageValuesTest extends InBrowser {
  @ParameterizedTest
  @EnumSource
  void each_step_shows_the_values_of_graph_and_backward_graph(Example example) {
    Map<String, double[][]> expected = example.nodes();
    open(example, "");
    for (Map.Entry<String, List<String>> made : MADE.entrySet()) {
      assertThat(step()).isEqualTo(made.getKey());
      Map<String, Map<String, String>> shown = shown("#equations");
      assertThat(shown)
          .as("step " + made.getKey())
          .containsKeys(made.getValue().toArray(String[]::new));
      shown.forEach((node, cells) -> assertCells(node, cells, expected.get(node)));
      if (!step().equals("b0")) {
        browser.find("#forward").click();
      }
    }
    assertThat(browser.find("#forward").isEnabled()).isFalse();
  }

  @ParameterizedTest
  @EnumSource
  void the_nodes_side_by_side_show_all_values_again(Example example) {
    Map<String, double[][]> expected = example.nodes();
    open(example, "#step=b0&nodes=x,gamma,beta,mu,xmu,sq,var,sqrtvar,ivar,xhat,gammax,out");

    Map<String, Map<String, String>> shown = shown("#compared");

    assertThat(shown).containsOnlyKeys(expected.keySet());
    shown.forEach((node, cells) -> assertCells(node, cells, expected.get(node)));
  }

  private static void assertCells(String node, Map<String, String> cells, double[][] expected) {
    assertThat(cells).as(node).hasSize(expected.length * expected[0].length);
    cells.forEach(
        (cell, text) -> {
          String[] index = cell.split(",");
          double value = expected[Integer.parseInt(index[0])][Integer.parseInt(index[1])];
          String[] numbers = text.split(" ");
          assertThat(Double.doubleToRawLongBits(Double.parseDouble(numbers[0])))
              .as("%s[%s] is %s, expected %s", node, cell, numbers[0], value)
              .isEqualTo(Double.doubleToRawLongBits(value));
          assertThat(new BigDecimal(numbers[1].replace('−', '-')))
              .as("%s[%s] as it is seen", node, cell)
              .isCloseTo(new BigDecimal(value), withinPercentage(0.51)); // three digits at least
        });
  }

  /** Each sum is computed by the browser; so its text is correct in every sign and bracket. */
  @ParameterizedTest
  @EnumSource(names = "HOSTILE_NUMBERS", mode = EnumSource.Mode.EXCLUDE)
  void the_sum_behind_a_cell_gives_its_value(Example example) {
    Map<String, double[][]> expected = example.nodes();
    for (String step : MADE.keySet()) {
      open(example, "#step=" + step);
      List<List<String>> sums = browser.runFile("sums.js");
      assertThat(sums.isEmpty()).isEqualTo(step.equals("0"));
      List<Number> results =
          browser.run(
              sums.stream()
                  .map(sum -> sum.get(2))
                  .collect(Collectors.joining(",", "return [", "]")));
      for (int k = 0; k < sums.size(); k++) {
        assertSum(sums.get(k), results.get(k).doubleValue(), expected);
      }
    }
  }

  private static void assertSum(List<String> sum, double result, Map<String, double[][]> expected) {
    String[] cell = sum.get(0).split(",");
    double[][] node = expected.get(cell[0]);
    boolean vector = node.length == 1;
    double value = node[Integer.parseInt(cell[1])][Integer.parseInt(cell[2])];
    assertThat(sum.get(1))
        .isEqualTo(cell[0] + (vector ? "" : "[" + cell[1] + "]") + "[" + cell[2] + "]");
    // the terms of these examples are below 1000
    assertThat(result)
        .as(sum.toString())
        .isCloseTo(value, within(1e-12 * Math.max(1, Math.abs(value))));
  }

  @Test
  void a_cell_shows_its_sum_as_a_person_would_write_it() {
    open("#step=b2");
    WebElement cell = browser.find("#equations .result [data-cell='dmu,0,0']");
    new Actions(browser.driver()).moveToElement(cell).perform();
    assertThat(browser.text("#sum .short")).isEqualTo("dmu[0] = −(0.75 + 3.75 + 1.5) = −6");

    cell.click();
    assertThat(fragment()).isEqualTo("#step=b2&cell=dmu,0,0");
    List<String> sources =
        browser.run(
            "return [...document.querySelectorAll('.source')].map(cell => cell.dataset.cell)");
    assertThat(sources).contains("dx1,0,0", "dx1,1,0", "dx1,2,0").doesNotContain("dx1,0,1");

    open("#step=b2&cell=dmu,0,1");
    assertThat(browser.text("#sum .short")).isEqualTo("dmu[1] = −(−3.5 + 0.625 − 3.125) = 6");
    assertThat(browser.text("#expression")).isEqualTo("-(-3.5 + 0.625 - 3.125)");
    open("#step=b7&cell=divar,0,0");
    assertThat(browser.text("#sum .short")).isEqualTo("divar[0] = 2 × 1 + 8 × 1 + 2 × (−2) = 6");
  }

  @Test
  void a_step_shows_the_arithmetic_of_the_first_number_of_each_node() {
    open("#step=b7");
    assertThat(browser.texts("#sum .short"))
        .containsExactly("divar[0] = 2 × 1 + 8 × 1 + 2 × (−2) = 6", "dxmu1[0][0] = 2 × 0.5 = 1");

    open(Example.RANDOM_5_BY_3_SEED_1, "#step=1");
    assertThat(browser.texts("#sum .short"))
        .singleElement()
        .asString()
        .matches("mu\\[0] = \\([−.\\d]+ [−+] [.\\d]+ \\+ … [−+] [.\\d]+\\) / 5 = [−.\\d]+");
  }

  @Test
  void the_columns_bear_the_names_that_the_file_gives_them() throws IOException {
    double[][] x = {{1, 2}, {3, 5}};
    List<String> names = List.of("height", "<b>" + "x".repeat(40));
    Path page = write("names", GraphWalk.of(new BatchNormLayer(2), "a test", names, x, x));
    browser.open(page, "#step=1");

    String shortened = "<b>" + "x".repeat(27) + "…";
    assertThat(browser.texts("#equations .result thead th"))
        .containsExactly("0height", "1" + shortened);
    assertThat(browser.text("#about"))
        .startsWith("N = 2 rows, D = 2 features (0 height, 1 " + shortened + "), ε = 1e−5;");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1  | mu is BatchNormGraph.mu, shape (D) = (2)",
        "7  | xhat is BatchNormGraph.xhat, shape (N, D) = (3, 2)",
        "b3 | dxmu2 is BatchNormBackwardGraph.dxmu2, shape (N, D) = (3, 2)",
      })
  void a_step_names_the_field_that_holds_its_values(String step, String field) {
    open("#step=" + step);
    assertThat(browser.text("#field")).isEqualTo(field);
  }

  @Test
  void every_field_that_is_named_exists() {
    List<String> fields =
        Stream.of(BatchNormGraph.class, BatchNormBackwardGraph.class)
            .flatMap(
                type ->
                    Stream.of(type.getRecordComponents())
                        .map(field -> type.getSimpleName() + "." + field.getName()))
            .toList();
    List<String> named = new ArrayList<>();
    for (String step : MADE.keySet()) {
      open("#step=" + step);
      named.addAll(browser.texts("#field code"));
    }
    assertThat(named).containsAll(fields);
  }

  @Test
  void a_backward_step_shows_what_arrives_the_local_derivative_and_the_product() {
    open("#step=b6"); // divar = (6, 72), sqrtvar = (2, 4): -1 / 4 and -1 / 16

    assertThat(browser.text("#equations"))
        .containsSubsequence("arrives", "divar", "6", "72")
        .containsSubsequence(
            "∂ivar/∂sqrtvar, the local derivative", "−1 / sqrtvar²", "−0.25", "−0.0625")
        .containsSubsequence("product", "dsqrtvar", "−1.5", "−4.5");
  }

  @Test
  void two_branches_meet_and_add() {
    open("#step=b0");

    assertThat(browser.text("#equations"))
        .containsSubsequence("one branch", "dx1", "+", "the other branch", "dx2", "=")
        .containsSubsequence("two branches added", "dx", "−1.25");
  }

  @Test
  void where_a_gradient_dies_is_said() {
    open(Example.CONSTANT_COLUMN, "#step=b8"); // gamma[0] is 0
    assertThat(browser.text("#remarks"))
        .contains(
            "The gradient of feature 0 dies here: the largest |dgammax| is 4, the largest |dxhat|"
                + " is 0.")
        .doesNotContain("feature 1 dies here: the largest |dgammax| is 5, the largest |dxhat|");

    open(Example.CONSTANT_COLUMN, "#step=b7"); // xmu[.][1] is 0
    assertThat(browser.text("#remarks")).contains("feature 1 dies here");
    open("#step=b3");
    assertThat(browser.text("#remarks")).isEmpty();
  }

  @Test
  void two_branches_that_cancel_out_are_no_death() throws IOException {
    // without a spread in dout, dx1 and dx2 add to 0
    double[][] dout = {{1}, {1}, {1}};
    double[][] x = {{4}, {4}, {1}};
    browser.open(
        write("cancels", GraphWalk.of(new BatchNormLayer(1), "a test", List.of(), x, dout)),
        "#step=b0");
    assertThat(browser.text("#remarks")).contains("The gradient of feature 0 cancels out here");
  }

  @Test
  void rows_that_cancel_out_are_no_death() throws IOException {
    double[][] dout = {{1}, {-1}, {0}};
    double[][] x = {{1}, {3}, {5.5}};
    browser.open(
        write("rows", GraphWalk.of(new BatchNormLayer(1), "a test", List.of(), x, dout)),
        "#step=b9");
    assertThat(deaths())
        .containsExactly(
            "The gradient of feature 0 cancels out here: the largest |dout| is 1, the largest"
                + " |dbeta| is 0.");
  }

  /** Where x is large, 1 / sqrtvar² is small, and the other way round: the units change. */
  @ParameterizedTest
  @ValueSource(doubles = {1e-8, 1, 1e4, 1e9})
  void no_gradient_dies_of_the_unit_of_x(double unit) throws IOException {
    double[][] x = {{1 * unit}, {3 * unit}, {5.5 * unit}};
    double[][] dout = {{1}, {4}, {-2}};
    BatchNormLayer layer = BatchNormLayer.builder(1).epsilon(1e-5 * unit * unit).build();
    Path page = write("unit", GraphWalk.of(layer, "a test", List.of(), x, dout));
    for (String step : MADE.keySet()) {
      browser.open(page, "#step=" + step);
      assertThat(deaths()).as("step " + step).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1e-9 | 1e-5 | b8 | dies here: the largest |dgammax| is 4, the largest |dxhat| is 4e−9.",
        "1    | 1e20 | b7 | dies here: the largest |dxhat| is 4, the largest |dxmu1| is 4e−10.",
        "1    | 1e20 | b5 | dies here: ",
      })
  void a_gradient_that_is_nearly_nothing_is_said_to_die(
      double gamma, double epsilon, String step, String remark) throws IOException {
    double[][] x = {{1}, {3}, {5.5}};
    double[][] dout = {{1}, {4}, {-2}};
    BatchNormLayer layer =
        BatchNormLayer.builder(1).gamma(new double[] {gamma}).epsilon(epsilon).build();
    Path page = write("dies", GraphWalk.of(layer, "a test", List.of(), x, dout));
    browser.open(page, "#step=" + step);
    assertThat(deaths())
        .singleElement()
        .asString()
        .startsWith("The gradient of feature 0 " + remark);
  }

  private static List<String> deaths() {
    return browser.texts("#remarks .dies");
  }

  @Test
  void a_number_in_the_picture_has_two_digits_or_is_left_out() throws IOException {
    double[][] x = {{1.5e-7, 1, 2}, {0, 2, 3}}; // 2e−7 would fit into its cell
    browser.open(
        write("narrow", GraphWalk.of(new BatchNormLayer(3), "a test", List.of(), x, x)), "#step=0");
    List<String> shown = browser.texts(".mini text");

    assertThat(shown).contains("0", "1").doesNotContain("2e−7", "1e−7");
  }

  @Test
  void a_number_computed_for_the_page_is_shown_in_full_on_focus_and_hover() {
    open(Example.RANDOM_5_BY_3_SEED_1, "#step=b6&cell=divar,0,0");
    WebElement number = browser.find("[data-made='dsqrtvar,0,1']");
    String full = number.getAttribute("title");
    assertThat(full).hasSizeGreaterThan(10);

    browser.run("arguments[0].focus()", number);
    assertThat(browser.text("#sum .short")).startsWith("(−1 / sqrtvar²)[1] = −");
    assertThat(browser.text("#full")).isEqualTo(full);
    browser.run("arguments[0].blur()", number);
    assertThat(browser.text("#sum .short")).startsWith("divar[0] = ");
    new Actions(browser.driver()).moveToElement(number).perform();
    assertThat(browser.text("#full")).isEqualTo(full);
  }

  @Test
  void a_name_of_a_file_cannot_run_as_a_script() {
    open(Example.HOSTILE_NUMBERS, "");

    assertThat(browser.driver().getTitle()).isEqualTo("Batch normalization, step by step");
    assertThat(browser.text("#about"))
        .endsWith("</script><script>document.title = 'hacked'</script>{{values}}<!--.");
  }
}
