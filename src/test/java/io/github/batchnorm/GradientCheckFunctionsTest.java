package io.github.batchnorm;

import static io.github.batchnorm.TestData.with;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The checker on functions of many kinds, whose derivatives come from dual numbers. */
@DisplayName("GradientCheck on functions (seed 17)")
class GradientCheckFunctionsTest {
  private static final double[] MISTAKES = {0.001, -0.01, 1, 2}; // right * (1 - mistake)

  /** One line of the table that is printed: counts over all functions of a kind. */
  private static final class Row {
    private int functions;
    private int contradicted;
    private int entries;
    private int calls;
    private int rough;
    private int mistakes;
    private int accepted;

    private void add(TestFunction function) {
      int[] calls = {0};
      int[] before = {1}; // that at x
      double[][] right = function.gradient();
      GradientReport report =
          new GradientCheck()
              .progress(
                  (done, total) -> {
                    assertThat(calls[0] - before[0]).isLessThanOrEqualTo(60);
                    before[0] = calls[0];
                  })
              .check(
                  at -> {
                    calls[0]++;
                    return function.out(at);
                  },
                  function.x(),
                  function.dout(),
                  right);
      functions++;
      contradicted += report.agrees() ? 0 : 1;
      entries += report.entries().size();
      this.calls += calls[0];
      rough += (int) report.entries().stream().filter(GradientReport.Entry::isRough).count();
      for (int i = 0; i < right.length; i++) {
        for (int j = 0; j < right[i].length; j++) {
          plantMistakes(function, right, i, j);
        }
      }
    }

    private void plantMistakes(TestFunction function, double[][] right, int i, int j) {
      for (double mistake : MISTAKES) {
        double wrong = right[i][j] * (1 - mistake);
        if (Math.abs(right[i][j]) > 1e-6 * TestData.largest(right)
            && function.shows(i, j, Math.abs(mistake))) {
          double[][] analytic = with(right, i, j, wrong);
          Gradient gradient =
              new Gradient("", false, function::out, function.x(), function.dout(), analytic);
          mistakes++;
          accepted += new Differences(gradient, 1e-6).compare(i, j).agrees() ? 1 : 0;
        }
      }
    }

    @Override
    public String toString() {
      return String.format(
          "%9d %12d %7d %14.2f %6d %8d %8d",
          functions, contradicted, entries, (double) calls / entries, rough, mistakes, accepted);
    }
  }

  @Test
  void contradicts_one_right_gradient_of_a_hundred_and_accepts_no_mistake_of_a_thousandth() {
    List<TestFunction> functions = TestFunctions.all();
    Map<String, Row> rows = new TreeMap<>();
    Row all = new Row();
    for (TestFunction function : functions) {
      Row row = rows.computeIfAbsent(function.kind(), kind -> new Row());
      row.add(function);
    }
    for (Row row : rows.values()) {
      all.functions += row.functions;
      all.contradicted += row.contradicted;
      all.entries += row.entries;
      all.calls += row.calls;
      all.rough += row.rough;
      all.mistakes += row.mistakes;
      all.accepted += row.accepted;
    }
    StringBuilder table =
        new StringBuilder(
            String.format("%-32s", "")
                + "functions contradicted entries calls per entry  rough mistakes accepted");
    rows.forEach((kind, row) -> table.append(String.format("%n%-32s%s", kind, row)));
    table.append(String.format("%n%-32s%s%n", "all", all));
    System.out.print(table);
    assertThat(rows).hasSize(23);
    assertThat(all.functions).isGreaterThan(330);
    assertThat(all.contradicted).as("%s", table).isLessThanOrEqualTo(all.functions / 100);
    assertThat(all.mistakes).isGreaterThan(10_000);
    assertThat(all.accepted).as("%s", table).isZero();
    assertThat((double) all.calls / all.entries).as("%s", table).isLessThanOrEqualTo(6);
  }
}
