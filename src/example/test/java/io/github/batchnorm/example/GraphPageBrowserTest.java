package io.github.batchnorm.example;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.deque.html.axecore.results.Results;
import com.deque.html.axecore.selenium.AxeBuilder;
import io.github.batchnorm.BatchNormBackwardGraph;
import io.github.batchnorm.BatchNormGraph;
import io.github.batchnorm.BatchNormLayer;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.openqa.selenium.Keys;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.interactions.Actions;

/**
 * The page of {@link GraphPage} in a real browser. The values come back from its elements and are
 * compared with those of the library, bit for bit.
 *
 * <p>Leaves what it looked at in target/pictures. The README's picture is one of them: {@code cp
 * src/example/target/pictures/readme.png src/example/graph.png}.
 */
class GraphPageBrowserTest {
  private static final Path PICTURES = Path.of("target", "pictures");
  private static final Path README_PICTURE = Path.of("graph.png");

  /** Which nodes a step makes: the table of the README, not the page's own. */
  private static final Map<String, List<String>> MADE = new LinkedHashMap<>();

  static {
    MADE.put("0", List.of("x", "gamma", "beta"));
    MADE.put("1", List.of("mu"));
    MADE.put("2", List.of("xmu"));
    MADE.put("3", List.of("sq"));
    MADE.put("4", List.of("var"));
    MADE.put("5", List.of("sqrtvar"));
    MADE.put("6", List.of("ivar"));
    MADE.put("7", List.of("xhat"));
    MADE.put("8", List.of("gammax"));
    MADE.put("9", List.of("out"));
    MADE.put("b9", List.of("dout", "dbeta", "dgammax"));
    MADE.put("b8", List.of("dgamma", "dxhat"));
    MADE.put("b7", List.of("divar", "dxmu1"));
    MADE.put("b6", List.of("dsqrtvar"));
    MADE.put("b5", List.of("dvar"));
    MADE.put("b4", List.of("dsq"));
    MADE.put("b3", List.of("dxmu2"));
    MADE.put("b2", List.of("dx1", "dmu"));
    MADE.put("b1", List.of("dx2"));
    MADE.put("b0", List.of("dx"));
  }

  /** The mini-batches of the tests. */
  enum Example {
    WORKED_BY_HAND,
    RANDOM_5_BY_3_SEED_1,
    LARGEST,
    CONSTANT_COLUMN,
    HOSTILE_NUMBERS;

    GraphWalk walk() {
      Random random = new Random(1);
      return switch (this) {
        case WORKED_BY_HAND ->
            walk(
                new double[][] {{4, 3}, {4, 0}, {1, -6}},
                new double[][] {{1, 2}, {4, -1}, {1, 5}},
                BatchNormLayer.builder(2)
                    .gamma(new double[] {2, -4})
                    .beta(new double[] {1, 3})
                    .epsilon(2));
        case RANDOM_5_BY_3_SEED_1 ->
            walk(
                normal(random, 5, 3),
                normal(random, 5, 3),
                BatchNormLayer.builder(3).gamma(normal(random, 1, 3)[0]));
        case LARGEST ->
            walk(normal(random, 12, 8), normal(random, 12, 8), BatchNormLayer.builder(8));
        case CONSTANT_COLUMN ->
            walk(
                new double[][] {{1, 7}, {2, 7}, {4, 7}},
                new double[][] {{1, 2}, {4, -1}, {1, 5}},
                BatchNormLayer.builder(2).gamma(new double[] {0, 1}));
        case HOSTILE_NUMBERS -> hostile();
      };
    }

    private static GraphWalk walk(double[][] x, double[][] dout, BatchNormLayer.Builder layer) {
      return GraphWalk.of(layer.build(), "a test", List.of(), x, dout);
    }

    private static double[][] normal(Random random, int n, int d) {
      double[][] matrix = new double[n][d];
      for (double[] row : matrix) {
        Arrays.setAll(row, j -> random.nextGaussian());
      }
      return matrix;
    }

    /** No walk of a layer: the nodes have the same extreme values, and the source is an attack. */
    private static GraphWalk hostile() {
      double[] v = {-0.0, 1e-300, Double.MIN_VALUE, Double.MAX_VALUE, -Double.MAX_VALUE};
      double[][] m = {v, {0.1 + 0.2, 1e21, 123456789.125, -1e-7, 5}};
      return new GraphWalk(
          "</script><script>document.title = 'hacked'</script>{{values}}<!--",
          Double.MIN_VALUE,
          new double[] {1, 1, 1, -1, 1},
          v,
          List.of(),
          m,
          new BatchNormGraph(v, m, m, v, v, v, m),
          m,
          m,
          new BatchNormBackwardGraph(m, m, v, m, v, v, m, m, m, v, m, m, v, v));
    }
  }

  @TempDir private static Path folder;
  private static Browser browser;

  @BeforeAll
  static void start() throws IOException {
    browser = new Browser(Files.createDirectory(folder.resolve("profile")));
    Files.createDirectories(PICTURES);
    for (Example example : Example.values()) {
      write(example.name(), example.walk());
    }
  }

  private static Path write(String name, GraphWalk walk) throws IOException {
    return Files.writeString(folder.resolve(name + ".html"), PageTemplate.fill(walk.toJson()));
  }

  @AfterAll
  static void stop() {
    if (browser != null) {
      browser.close();
    }
  }

  @BeforeEach
  void defaults() {
    browser.screen(1280, 900);
    browser.medium("screen", "light");
  }

  @AfterEach
  void nothing_went_wrong_and_nothing_was_loaded() {
    assertThat(browser.console()).isEmpty();
    List<String> loaded =
        browser.run("return performance.getEntriesByType('resource').map(entry => entry.name)");
    assertThat(loaded).isEmpty();
  }

  private static Path page(Example example) {
    return folder.resolve(example + ".html");
  }

  private static void open(String fragment) {
    browser.open(page(Example.WORKED_BY_HAND), fragment);
  }

  private static String step() {
    return browser.run("return document.querySelector('[aria-current]').dataset.step");
  }

  private static String fragment() {
    return browser.run("return location.hash");
  }

  // ---- values ----

  @ParameterizedTest
  @EnumSource
  void each_step_shows_the_values_of_graph_and_backward_graph(Example example) {
    Map<String, double[][]> expected = expected(example.walk());
    browser.open(page(example), "");
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
    Map<String, double[][]> expected = expected(example.walk());
    browser.open(
        page(example), "#step=b0&nodes=x,gamma,beta,mu,xmu,sq,var,sqrtvar,ivar,xhat,gammax,out");

    Map<String, Map<String, String>> shown = shown("#compared");

    assertThat(shown).containsOnlyKeys(expected.keySet());
    shown.forEach((node, cells) -> assertCells(node, cells, expected.get(node)));
  }

  /** All nodes by name; a vector is a matrix of one row. */
  private static Map<String, double[][]> expected(GraphWalk walk) {
    BatchNormGraph graph = walk.graph();
    BatchNormBackwardGraph backwardGraph = walk.backwardGraph();
    Map<String, double[][]> nodes = new LinkedHashMap<>();
    nodes.put("x", walk.x());
    nodes.put("gamma", new double[][] {walk.gamma()});
    nodes.put("beta", new double[][] {walk.beta()});
    nodes.put("mu", new double[][] {graph.mu()});
    nodes.put("xmu", graph.xmu());
    nodes.put("sq", graph.sq());
    nodes.put("var", new double[][] {graph.var()});
    nodes.put("sqrtvar", new double[][] {graph.sqrtvar()});
    nodes.put("ivar", new double[][] {graph.ivar()});
    nodes.put("xhat", graph.xhat());
    nodes.put("gammax", walk.gammax());
    nodes.put("out", walk.out());
    nodes.put("dout", walk.dout());
    nodes.put("dbeta", new double[][] {backwardGraph.dbeta()});
    nodes.put("dgammax", backwardGraph.dgammax());
    nodes.put("dgamma", new double[][] {backwardGraph.dgamma()});
    nodes.put("dxhat", backwardGraph.dxhat());
    nodes.put("divar", new double[][] {backwardGraph.divar()});
    nodes.put("dxmu1", backwardGraph.dxmu1());
    nodes.put("dsqrtvar", new double[][] {backwardGraph.dsqrtvar()});
    nodes.put("dvar", new double[][] {backwardGraph.dvar()});
    nodes.put("dsq", backwardGraph.dsq());
    nodes.put("dxmu2", backwardGraph.dxmu2());
    nodes.put("dx1", backwardGraph.dx1());
    nodes.put("dmu", new double[][] {backwardGraph.dmu()});
    nodes.put("dx2", backwardGraph.dx2());
    nodes.put("dx", backwardGraph.dx());
    return nodes;
  }

  /** By node, by "row,column": the number in full, a space, the number as it is seen. */
  private static Map<String, Map<String, String>> shown(String selector) {
    return browser.run(
        """
        const shown = {};
        for (const button of document.querySelectorAll(arguments[0] + ' [data-cell]')) {
          const [node, i, j] = button.dataset.cell.split(',');
          (shown[node] ??= {})[`${i},${j}`] = button.title + ' ' + button.textContent;
        }
        return shown;
        """,
        selector);
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
    Map<String, double[][]> expected = expected(example.walk());
    for (String step : MADE.keySet()) {
      browser.open(page(example), "#step=" + step);
      List<List<String>> sums =
          browser.run(
              """
              return [...document.querySelectorAll('#equations .result [data-cell]')].map(button => {
                button.focus();
                const sum = document.getElementById('expression');
                const label = document.querySelector('#sum .short').textContent.split(' = ')[0];
                return sum && [button.dataset.cell, label, sum.textContent];
              }).filter(Boolean);
              """);
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
      named.addAll(
          browser.run(
              "return [...document.querySelectorAll('#field code')].map(c => c.textContent)"));
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
    browser.open(page(Example.CONSTANT_COLUMN), "#step=b8"); // gamma[0] is 0
    assertThat(browser.text("#remarks"))
        .contains(
            "The gradient of feature 0 dies here: the largest |dgammax| is 4, the largest |dxhat|"
                + " is 0.")
        .doesNotContain("feature 1 dies here: the largest |dgammax| is 5, the largest |dxhat|");

    browser.open(page(Example.CONSTANT_COLUMN), "#step=b7"); // xmu[.][1] is 0
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
    return browser.run(
        "return [...document.querySelectorAll('#remarks .dies')].map(item => item.textContent)");
  }

  @Test
  void a_number_in_the_picture_has_two_digits_or_is_left_out() throws IOException {
    double[][] x = {{1.5e-7, 1, 2}, {0, 2, 3}}; // 2e−7 would fit into its cell
    browser.open(
        write("narrow", GraphWalk.of(new BatchNormLayer(3), "a test", List.of(), x, x)), "#step=0");
    List<String> shown =
        browser.run("return [...document.querySelectorAll('.mini text')].map(t => t.textContent)");

    assertThat(shown).contains("0", "1").doesNotContain("2e−7", "1e−7");
  }

  @Test
  void a_number_computed_for_the_page_is_shown_in_full_on_focus_and_hover() {
    browser.open(page(Example.RANDOM_5_BY_3_SEED_1), "#step=b6&cell=divar,0,0");
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
    browser.open(page(Example.HOSTILE_NUMBERS), "");

    assertThat(browser.driver().getTitle()).isEqualTo("Batch normalization, step by step");
    assertThat(browser.text("#about"))
        .endsWith("</script><script>document.title = 'hacked'</script>{{values}}<!--.");
  }

  // ---- controls ----

  @Test
  void arrow_keys_step_and_stop_at_both_ends() {
    open("");
    browser.press(Keys.ARROW_LEFT);
    assertThat(step()).isEqualTo("0");
    for (String expected : MADE.keySet()) {
      assertThat(step()).isEqualTo(expected);
      browser.press(Keys.ARROW_RIGHT);
    }
    assertThat(step()).isEqualTo("b0");
    assertThat(fragment()).isEqualTo("#step=b0");
    browser.press(Keys.ARROW_LEFT, Keys.ARROW_LEFT);
    assertThat(step()).isEqualTo("b2");
    browser.press(Keys.chord(Keys.ALT, Keys.SHIFT, Keys.ARROW_LEFT)); // the browser's own
    assertThat(step()).isEqualTo("b2");
  }

  @Test
  void arrow_keys_scroll_the_table_that_has_the_focus_if_it_is_too_wide() {
    browser.screen(390, 844);
    browser.open(page(Example.LARGEST), "#step=b6");
    WebElement number = browser.find("[data-made='dsqrtvar,0,0']");
    browser.run("arguments[0].focus()", number);
    browser.press(Keys.ARROW_RIGHT);
    browser.await("document.activeElement.closest('.scroll').scrollLeft > 0");
    assertThat(step()).isEqualTo("b6");

    open("#step=b6");
    browser.run("arguments[0].focus()", browser.find("[data-made='dsqrtvar,0,0']"));
    browser.press(Keys.ARROW_RIGHT);
    assertThat(step()).isEqualTo("b5");
    assertThat(browser.<String>run("return document.activeElement.id")).isEqualTo("step");
  }

  @Test
  void buttons_step_back_and_forward() {
    open("");
    assertThat(browser.find("#back").isEnabled()).isFalse();
    browser.find("#forward").click();
    browser.find("#forward").click();
    assertThat(step()).isEqualTo("2");
    browser.find("#back").click();
    assertThat(step()).isEqualTo("1");
    assertThat(browser.text("#title")).isEqualTo("Forward, step 1 of 9: mu");
  }

  @Test
  void every_step_can_be_chosen_in_the_bar() {
    open("");
    for (String step : MADE.keySet()) {
      browser.find("[data-step='" + step + "']").click();
      assertThat(step()).isEqualTo(step);
      assertThat(fragment()).isEqualTo("#step=" + step);
    }
  }

  @Test
  void run_goes_on_until_the_end_and_a_step_stops_it() {
    open("#step=b2");
    browser.find("#run").click();
    assertThat(browser.text("#run")).isEqualTo("Stop");
    browser.await("document.querySelector('[aria-current]').dataset.step === 'b0'");
    assertThat(browser.text("#run")).isEqualTo("Run");
    assertThat(browser.find("#run").isEnabled()).isFalse();
    browser.press(Keys.SPACE);
    assertThat(browser.text("#run")).isEqualTo("Run");

    open("#step=3");
    browser.press(Keys.SPACE);
    assertThat(browser.text("#run")).isEqualTo("Stop");
    browser.press(Keys.ARROW_LEFT);
    assertThat(browser.text("#run")).isEqualTo("Run");
    assertThat(step()).isEqualTo("2");
  }

  @Test
  void a_swipe_steps() {
    browser.screen(390, 844);
    open("#step=4");
    browser.swipe(300, 100);
    browser.await("location.hash === '#step=5'");
    browser.swipe(100, 300);
    browser.await("location.hash === '#step=4'");
    browser.swipe(200, 230); // too short
    browser.swipe(300, 100);
    browser.await("location.hash === '#step=5'");
  }

  @Test
  void the_fragment_is_a_link_to_a_state() {
    open("#step=6");
    assertThat(browser.text("#title")).isEqualTo("Forward, step 6 of 9: ivar");
    browser.run("location.hash = '#step=b3&nodes=sq,xmu&cell=dxmu2,1,0'");
    browser.await("document.querySelector('[aria-current]').dataset.step === 'b3'");
    assertThat(shown("#compared")).containsOnlyKeys("sq", "dsq", "xmu", "dxmu1", "dxmu2");
    assertThat(browser.text("#sum .short")).startsWith("dxmu2[1][0] = 2 × 1 × (−0.125) = −0.25");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "#step=10",
        "#step=b10",
        "#step=",
        "#%",
        "#nodes=hack,toString",
        "#cell=mu,1,0",
        "#cell=dx,9,9",
        "#cell=constructor,0,0",
        "#step=0&step=2"
      })
  void a_fragment_that_means_nothing_is_the_start(String fragment) {
    open(fragment);
    assertThat(step()).isEqualTo("0");
    assertThat(shown("#compared")).isEmpty();
    assertThat(browser.text("#sum")).isEqualTo("Choose a number to see where it comes from.");
  }

  @Test
  void nodes_are_compared_by_click_and_by_keyboard() {
    open("#step=b0");
    browser.find("[data-name='mu']").click();
    assertThat(shown("#compared")).containsOnlyKeys("mu", "dmu");
    browser.find("[data-name='x']").sendKeys(Keys.ENTER);
    assertThat(shown("#compared")).containsOnlyKeys("mu", "dmu", "x", "dx1", "dx2", "dx");
    assertThat(fragment()).isEqualTo("#step=b0&nodes=mu,x");
    assertThat(focused("name")).isEqualTo("x");
    browser.press(Keys.SPACE);
    assertThat(shown("#compared")).containsOnlyKeys("mu", "dmu");
    browser.find("[aria-label='Remove mu']").click();
    assertThat(shown("#compared")).isEmpty();
  }

  @Test
  void who_removes_a_node_by_keyboard_goes_on_to_the_next() {
    open("#step=b0&nodes=mu,sq,mu,var");
    assertThat(removable()).containsExactly("Remove mu", "Remove sq", "Remove var");
    browser.find("[aria-label='Remove sq']").sendKeys(Keys.ENTER);
    assertThat(removable()).containsExactly("Remove mu", "Remove var");
    browser.press(Keys.ENTER); // var, which took the place of sq
    assertThat(removable()).containsExactly("Remove mu");
    browser.press(Keys.ENTER);
    assertThat(removable()).isEmpty();
    assertThat(browser.<String>run("return document.activeElement.id")).isEqualTo("compare");
  }

  private static List<String> removable() {
    return browser.run(
        "return [...document.querySelectorAll('#compared button[aria-label]')].map(b => b.ariaLabel)");
  }

  @Test
  void a_node_that_is_not_computed_yet_says_when_it_will_be() {
    open("#step=3&nodes=var");
    assertThat(browser.text("#compared"))
        .contains("var comes in forward step 4", "dvar comes in backward step 5");
  }

  @Test
  void the_picture_lights_what_a_step_makes_and_takes() {
    open("#step=b7");
    assertThat(classed(".node.now", "name")).containsExactly("xhat");
    assertThat(classed(".node.input", "name")).containsExactlyInAnyOrder("xmu", "ivar");
    assertThat(classed(".edge:has(.red.now)", "gradient"))
        .containsExactlyInAnyOrder("dxmu1", "divar");
    assertThat(classed(".edge:has(.red.arriving)", "gradient")).containsExactly("dxhat");
    open("#step=2");
    assertThat(classed(".node.now", "name")).containsExactly("xmu");
    assertThat(classed(".node.input", "name")).containsExactlyInAnyOrder("x", "mu");
    assertThat(classed(".node.ahead", "name"))
        .containsExactlyInAnyOrder("sq", "var", "sqrtvar", "ivar", "xhat", "gammax", "out");
  }

  private static List<String> classed(String selector, String data) {
    return browser.run(
        "return [...document.querySelectorAll(arguments[0])].map(e => e.dataset[arguments[1]])",
        selector,
        data);
  }

  private static String focused(String data) {
    return browser.run("return document.activeElement.dataset[arguments[0]]", data);
  }

  @Test
  void the_tab_key_goes_from_the_bar_over_the_nodes_to_the_numbers() {
    open("#step=1");
    List<String> order = new ArrayList<>();
    for (int k = 0; k < 3 + 20 + 12 + 8; k++) {
      browser.press(Keys.TAB);
      order.add(
          browser.run(
              """
              const {id, dataset} = document.activeElement;
              return id || dataset.step || dataset.name || dataset.cell;
              """));
    }
    List<String> expected = new ArrayList<>(List.of("back", "forward", "run"));
    expected.addAll(MADE.keySet());
    expected.addAll(List.of("x", "gamma", "beta", "mu", "xmu", "sq", "var", "sqrtvar", "ivar"));
    expected.addAll(List.of("xhat", "gammax", "out"));
    expected.addAll(List.of("x,0,0", "x,0,1", "x,1,0", "x,1,1", "x,2,0", "x,2,1"));
    expected.addAll(List.of("mu,0,0", "mu,0,1"));
    assertThat(order).isEqualTo(expected);
    browser.press(Keys.ENTER);
    assertThat(fragment()).isEqualTo("#step=1&cell=mu,0,1");
    assertThat(focused("cell")).isEqualTo("mu,0,1");
  }

  // ---- looks ----

  @ParameterizedTest
  @ValueSource(ints = {1280, 1240, 1024, 768, 390, 360})
  void nothing_is_cut_off_too_small_or_on_something_else(int width) {
    browser.screen(width, width < 600 ? 844 : 900);
    for (Example example : Example.values()) {
      browser.open(page(example), "#step=0&nodes=xmu,var&cell=mu,0,0");
      for (String step : MADE.keySet()) {
        assertThat(faults()).as(example + " " + step).isEmpty();
        browser.press(Keys.ARROW_RIGHT);
      }
      assertThat(step()).isEqualTo("b0");
    }
  }

  /** For a person to look at. */
  @ParameterizedTest
  @CsvSource({"1280, light", "1280, dark", "390, light", "390, dark", "1024, light"})
  void pictures_are_taken(int width, String scheme) throws IOException {
    browser.screen(width, width < 600 ? 844 : 900);
    browser.medium("screen", scheme);
    for (Example example : List.of(Example.WORKED_BY_HAND, Example.LARGEST)) {
      for (String step : List.of("0", "4", "b7", "b0")) {
        browser.open(page(example), "#step=" + step);
        byte[] picture = browser.picture();
        assertThat(picture).hasSizeGreaterThan(20_000);
        String name = String.join("-", example.name(), step, "" + width, scheme);
        Files.write(PICTURES.resolve(name + ".png"), picture);
      }
    }
  }

  /** What cannot be read: what is cut off, too small, or lies on something else. */
  private static List<String> faults() {
    return browser.run(
        """
        const faults = [];
        const width = document.documentElement.clientWidth;
        if (document.documentElement.scrollWidth > width) {
          faults.push('the page is wider than the screen');
        }
        const svg = document.querySelector('svg');
        const frame = svg.getBoundingClientRect();
        const scale = frame.width / svg.viewBox.baseVal.width;
        const visible = [...svg.querySelectorAll('text')]
          .filter(text => text.textContent && getComputedStyle(text).visibility === 'visible');
        const boxes = [...svg.querySelectorAll('.box')].map(box => box.getBoundingClientRect());
        const apart = (a, b) => a.right <= b.left + 1 || b.right <= a.left + 1
          || a.bottom <= b.top + 3 || b.bottom <= a.top + 3;
        for (const text of visible) {
          const area = text.getBoundingClientRect();
          const size = parseFloat(getComputedStyle(text).fontSize) * scale;
          if (size < (width === 360 ? 10.9 : 11.9)) {
            faults.push(`${text.textContent} has only ${size} px`);
          }
          if (area.left < frame.left || area.right > frame.right || area.bottom > frame.bottom) {
            faults.push(`${text.textContent} leaves the picture`);
          }
          const own = text.closest('.node')?.querySelector('.box').getBoundingClientRect();
          if (own && (area.left < own.left || area.right > own.right)) {
            faults.push(`${text.textContent} leaves its box`);
          }
          if (!own && boxes.some(box => !apart(area, box))) {
            faults.push(`${text.textContent} lies on a box`);
          }
        }
        for (const [k, text] of visible.entries()) {
          for (const other of visible.slice(k + 1)) {
            if (!apart(text.getBoundingClientRect(), other.getBoundingClientRect())) {
              faults.push(`${text.textContent} lies on ${other.textContent}`);
            }
          }
        }
        for (const element of document.querySelectorAll('main p, main button, figcaption, h1, h2, h3, td')) {
          const area = element.getBoundingClientRect();
          if (area.width > 1 && !element.closest('.scroll') && (area.left < 0 || area.right > width)) {
            faults.push(`${element.textContent} is cut off`);
          }
          if (area.width > 1 && parseFloat(getComputedStyle(element).fontSize) < 12) {
            faults.push(`${element.textContent} is too small`);
          }
        }
        return faults;
        """);
  }

  @ParameterizedTest
  @CsvSource({"1280, light", "1280, dark", "390, light", "390, dark"})
  void axe_finds_no_barrier(int width, String scheme) {
    browser.screen(width, 900);
    browser.medium("screen", scheme);
    for (Example example : List.of(Example.WORKED_BY_HAND, Example.LARGEST)) {
      for (String fragment : List.of("#step=4", "#step=b7&nodes=xmu,x&cell=divar,0,0")) {
        browser.open(page(example), fragment);
        Results results = new AxeBuilder().analyze(browser.driver());
        assertThat(results.getViolations()).as(example + fragment).isEmpty();
        assertThat(results.getPasses()).isNotEmpty();
      }
    }
  }

  /** Axe does not look into pictures. WCAG 2 AA asks for 4.5 for text and for 3 for lines. */
  @ParameterizedTest
  @ValueSource(strings = {"light", "dark"})
  void the_picture_has_enough_contrast(String scheme) {
    browser.medium("screen", scheme);
    open("#step=b0&nodes=xmu");
    List<List<Object>> contrasts =
        browser.run(
            """
            const parse = color => color.match(/[\\d.]+/g).map(Number);
            const over = ([r, g, b, a = 1], below) => [r, g, b].map((c, k) => a * c + (1 - a) * below[k]);
            const luminance = color => color.map(c => c / 255)
              .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
              .reduce((sum, c, k) => sum + c * [0.2126, 0.7152, 0.0722][k], 0);
            const contrast = (a, b) => {
              const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
              return (light + 0.05) / (dark + 0.05);
            };
            const paper = parse(getComputedStyle(document.body).backgroundColor);
            const fill = element => parse(getComputedStyle(element).fill);
            const found = [];
            for (const text of document.querySelectorAll('svg text')) {
              const box = text.closest('.node')?.querySelector('.box');
              let below = box ? over(fill(box), paper) : paper;
              const tint = text.previousElementSibling;
              if (text.closest('.mini') && getComputedStyle(tint).fill !== 'none') {
                below = over(fill(tint), below);
              }
              found.push([text.textContent, contrast(fill(text), below), 4.5]);
            }
            for (const line of document.querySelectorAll('.arrow:not(.ahead) polyline')) {
              found.push(['arrow', contrast(parse(getComputedStyle(line).stroke), paper), 3]);
            }
            return found;
            """);
    assertThat(contrasts).hasSizeGreaterThan(100);
    for (List<Object> contrast : contrasts) {
      double least = ((Number) contrast.get(2)).doubleValue();
      assertThat(((Number) contrast.get(1)).doubleValue())
          .as("contrast of " + contrast.get(0))
          .isGreaterThanOrEqualTo(least);
    }
  }

  @ParameterizedTest
  @CsvSource({"WORKED_BY_HAND, 1280, 3", "WORKED_BY_HAND, 390, 3", "LARGEST, 1280, 7"})
  void paper_gets_the_picture_and_the_tables_without_the_bar(
      Example example, int width, int mostSheets) throws IOException {
    browser.screen(width, 900);
    browser.medium("print", "dark");
    browser.open(page(example), "#step=b2&cell=dmu,0,0");

    assertThat(browser.find("#bar").isDisplayed()).isFalse();
    assertThat(browser.find("svg").isDisplayed()).isTrue();
    assertThat(browser.find("#equations").isDisplayed()).isTrue();
    assertThat(browser.find("body").getCssValue("background-color"))
        .isEqualTo("rgba(255, 255, 255, 1)");
    byte[] pdf = browser.print();
    Files.write(PICTURES.resolve("print-" + example + "-" + width + ".pdf"), pdf);
    Matcher pages = Pattern.compile("/Type */Page\\b").matcher(new String(pdf, ISO_8859_1));
    assertThat(pages.results()).hasSizeLessThanOrEqualTo(mostSheets);
    assertThat(browser.find("svg").getAttribute("class")).isEqualTo("wide");
  }

  @Test
  void the_picture_of_the_readme_is_small_and_can_be_made_again() throws IOException {
    Path page = folder.resolve("graph.html");
    new GraphPage().commandLine().execute("--output", page.toString());
    browser.open(page, "#step=b3&cell=dxmu2,2,1");
    Number end =
        browser.run("return document.getElementById('step').getBoundingClientRect().bottom");
    browser.screen(1280, end.intValue() + 12);
    Path made = PICTURES.resolve("readme.png");
    Files.write(made, browser.driver().getScreenshotAs(OutputType.BYTES)); // what the screen shows

    assertThat(made.toFile()).size().isBetween(20_000L, 200_000L);
    assertThat(README_PICTURE.toFile()).size().isBetween(20_000L, 200_000L);
  }
}
