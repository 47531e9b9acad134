package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.bits;
import static io.github.batchnorm.TestData.combine;
import static io.github.batchnorm.TestData.copy;
import static io.github.batchnorm.TestData.filled;
import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestData.input;
import static io.github.batchnorm.TestData.with;
import static io.github.batchnorm.TestLayers.map;
import static io.github.batchnorm.TestLayers.product;
import static io.github.batchnorm.TestLayers.transposed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.batchnorm.GradientReport.Entry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The checker on functions whose derivatives are known by calculus: what agrees, what is said. */
@DisplayName("GradientCheck (seed 43)")
class GradientCheckTest {
  private static final double[][] X = {{0.5, -1.25, 3}, {2, 0.75, -0.5}};
  private static final double[][] DOUT = {{1, -2, 3}, {-4, 5, 0.25}};
  private static final double[][] ONE = {{1}};

  private final Random random = new Random(43);

  private static double[][] cube(double[][] x) {
    return map(x, a -> a * a * a);
  }

  /** d(Σ dout * x³) / dx = 3 * dout * x². */
  private static double[][] dcube() {
    return combine(DOUT, X, (g, a) -> 3 * g * a * a);
  }

  private static GradientReport checkCube(double[][] analytic) {
    return new GradientCheck().check(GradientCheckTest::cube, X, DOUT, analytic);
  }

  private static void assertFails(GradientReport report) {
    assertThat(report.agrees()).as("%s", report).isFalse();
    assertThat(report.passed()).isFalse();
  }

  @Nested
  class A_correct_gradient {

    @Test
    void by_a_matrix_passes() {
      GradientReport report = checkCube(dcube());
      report.assertPassed();
      assertThat(report.entries()).hasSize(6);
      assertThat(report.failures()).isEmpty();
      assertThat(report.reasons()).isEmpty();
    }

    @Test
    void by_a_vector_passes() {
      // f = (p0, p1)ᵀ twice, and p0 * p1: d/dp0 = 1 + 3 + 5 * p1, d/dp1 = 2 + 4 + 5 * p0
      Function<double[], double[][]> f =
          at -> new double[][] {{at[0], at[1]}, {at[0], at[1]}, {at[0] * at[1], 7}};
      double[][] dout = {{1, 2}, {3, 4}, {5, 6}};
      GradientReport report =
          new GradientCheck().check(f, new double[] {2, -3}, dout, new double[] {-11, 16});
      report.assertPassed();
      assertThat(report.entries()).hasSize(2);
      assertThat(report.entries().get(0).name()).matches("analytic\\[[01]]");
    }

    @Test
    void of_a_loss_passes() {
      // Σ x³ / 3 has the gradient x²; p0 * exp(p1) has (exp(p1), p0 * exp(p1))
      new GradientCheck()
          .check(
              x -> Arrays.stream(cube(x)).flatMapToDouble(Arrays::stream).sum() / 3,
              X,
              map(X, a -> a * a))
          .assertPassed();
      new GradientCheck()
          .check(
              p -> p[0] * Math.exp(p[1]),
              new double[] {3, 0.5},
              new double[] {Math.exp(0.5), 3 * Math.exp(0.5)})
          .assertPassed();
    }

    @Test
    void passes_where_both_are_zero() {
      double[][] x = {{0, 1}, {2, 3}}; // 0³ has the derivative 0
      GradientReport report =
          new GradientCheck()
              .check(GradientCheckTest::cube, x, filled(2, 2, 1), map(x, a -> 3 * a * a));
      report.assertPassed();
      assertThat(report.zeros()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(doubles = {1e-200, 1e-30, 1, 1e30, 1e200})
    void is_found_on_every_scale(double scale) {
      double[][] x = map(X, a -> a * scale);
      Function<double[][], double[][]> f = at -> map(at, a -> Math.sin(a / scale));
      double[][] right = combine(DOUT, X, (g, a) -> g * Math.cos(a) / scale);
      new GradientCheck().check(f, x, DOUT, right).assertPassed();
      GradientReport wrong = new GradientCheck().check(f, x, DOUT, map(right, a -> 1.0001 * a));
      assertThat(wrong.failures()).hasSize(6);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 1e3, 1e8})
    void is_told_from_a_wrong_one_beside_a_large_output(double offset) {
      // 1e8 is rounded by 1.5e-8, which a step of 4e-6 makes 4e-3: only longer steps tell
      Function<double[][], double[][]> f = x -> map(cube(x), a -> a + offset);
      new GradientCheck().check(f, X, DOUT, dcube()).assertPassed();
      GradientReport wrong = new GradientCheck().check(f, X, DOUT, map(dcube(), a -> 1.001 * a));
      assertThat(wrong.failures()).as("%s", wrong).hasSize(6);
    }

    @ParameterizedTest
    @ValueSource(doubles = {1e-30, 1e-12, 1e-7, 0x1p-10, 1e-3, 1e5, 1e9})
    void is_found_where_the_first_step_is_too_long_or_too_short(double p) {
      // 1e-12 - 4e-6 has no logarithm, and 2^-10 - 256 * 2^-18 has an infinite one
      double[] at = {p};
      new GradientCheck().check(q -> Math.log(q[0]), at, new double[] {1 / p}).assertPassed();
      assertFails(new GradientCheck().check(q -> Math.log(q[0]), at, new double[] {1.001 / p}));
      new GradientCheck().check(q -> 1 / q[0], at, new double[] {-1 / p / p}).assertPassed();
      assertFails(new GradientCheck().check(q -> 1 / q[0], at, new double[] {-1.001 / p / p}));
    }

    @Test
    void is_found_beside_an_outlier_in_the_column() {
      double[][] x = gaussian(random, 8, 1);
      x[3][0] = 1e6;
      double[][] right = map(x, Math::cos);
      new GradientCheck().check(at -> map(at, Math::sin), x, filled(8, 1, 1), right).assertPassed();
    }

    @Test
    void is_found_where_a_step_is_rounded() {
      // the next double after 1e300 is 1.5e284 away; f rounds by a tenth of that
      new GradientCheck()
          .check(at -> map(at, a -> a / 1e300), filled(1, 1, 1e300), ONE, filled(1, 1, 1e-300))
          .assertPassed();
      // 3 * (x - 1e8) of x = 1e8: steps are divided by what they are after rounding
      GradientReport report =
          new GradientCheck()
              .check(at -> map(at, a -> 3 * (a - 1e8)), filled(1, 1, 1e8), ONE, filled(1, 1, 3));
      report.assertPassed();
      assertThat(report.entries().get(0).low()).isEqualTo(3);
    }

    @Test
    void passes_though_f_subtracts_a_mean_and_loses_digits() {
      // the mean of values near 1e6 is rounded by 1e-10, its spread is 1
      double[][] x = map(gaussian(random, 9, 2), z -> 1e6 + z);
      double[][] dout = gaussian(random, 9, 2);
      Function<double[][], NaiveGraph> graph =
          at -> new NaiveGraph(at, new double[] {1, 2}, new double[2], 1e-5);
      double[][] dx = graph.apply(x).backward(dout, NaiveGraph.Mutant.NONE).dx;
      new GradientCheck().check(at -> graph.apply(at).out, x, dout, dx).assertPassed();
      assertFails(
          new GradientCheck().check(at -> graph.apply(at).out, x, dout, map(dx, a -> 1.01 * a)));
    }

    @Test
    void at_an_optimum_agrees() {
      // (p - 3)² at 3, where the slope is 0, and rounding makes it 3e-12
      GradientReport report =
          new GradientCheck()
              .check(
                  p -> 100 + (p[0] - 3) * (p[0] - 3) + p[1],
                  new double[] {3, 1},
                  new double[] {3e-12, 1});
      report.assertPassed();
      assertThat(report.zeros()).hasSize(1);
    }
  }

  /** Where the loss is 0, no output says how much it is rounded. */
  @Nested
  class At_an_optimum_whose_loss_is_zero {

    private void zeroAgrees(ToDoubleFunction<double[]> loss, double... p) {
      GradientReport report = new GradientCheck().check(loss, p, new double[p.length]);
      assertThat(report.agrees()).as("%s", report).isTrue();
      double[] wrong = new double[p.length];
      Arrays.fill(wrong, 1e-6);
      assertThat(new GradientCheck().check(loss, p, wrong).failures()).hasSize(p.length);
    }

    @Test
    void zero_agrees_for_powers() {
      zeroAgrees(p -> p[0] * p[0], 0);
      zeroAgrees(p -> p[0] * p[0] * p[0], 0);
      zeroAgrees(p -> Math.pow(Math.max(p[0], 0), 3), 0);
      zeroAgrees(p -> Math.pow(Math.max(p[0], 0), 1.5), 0);
    }

    @Test
    void zero_and_its_rounding_agree_for_a_perfect_fit() {
      double[][] features = gaussian(random, 10, 4);
      double[] w = {0.1, 0.7, -1.3, 2.2};
      double[] y = new double[10];
      Arrays.setAll(y, i -> w[3] * features[i][3] + w[2] * features[i][2] + w[1] * features[i][1]);
      Arrays.setAll(y, i -> y[i] + w[0] * features[i][0]); // rounded otherwise than the loss is
      Function<double[], double[]> error =
          p -> residuals(product(features, transposed(new double[][] {p})), y);
      ToDoubleFunction<double[]> loss = p -> Arrays.stream(error.apply(p)).map(e -> e * e).sum();
      assertThat(loss.applyAsDouble(w)).isBetween(1e-34, 1e-28);
      zeroAgrees(loss, w);
      double[][] dw = product(new double[][] {error.apply(w)}, features);
      GradientReport report = new GradientCheck().check(loss, w, map(dw, d -> 2 * d)[0]);
      assertThat(report.agrees()).as("%s", report).isTrue();
    }

    private double[] residuals(double[][] column, double[] y) {
      double[] result = new double[y.length];
      Arrays.setAll(result, i -> column[i][0] - y[i]);
      return result;
    }

    @Test
    void zero_agrees_for_the_divergence_from_itself_if_one_is_added() {
      double[] z = {0.3, -1, 2, 0.1};
      double[] q = TestLayers.softmax(new double[][] {z})[0];
      zeroAgrees(
          p -> {
            double[] u = TestLayers.softmax(new double[][] {p})[0];
            double sum = 1; // without, the sum is about 1e-17, and its terms are rounded by 1e-16
            for (int k = 0; k < 4; k++) {
              sum += q[k] * Math.log(q[k] / u[k]);
            }
            return sum;
          },
          z);
    }
  }

  @Nested
  class A_wrong_gradient {

    @Test
    void fails_beside_a_large_loss_if_a_longer_step_tells() {
      double[] p = {0.3, 0.2};
      ToDoubleFunction<double[]> weak = at -> 1e8 + 0.01 * at[0] + at[1];
      new GradientCheck().check(weak, p, new double[] {0.01, 1}).assertPassed();
      assertFails(new GradientCheck().check(weak, p, new double[] {-0.01, 1}));
      ToDoubleFunction<double[]> weaker = at -> 1e10 + at[0];
      new GradientCheck().check(weaker, new double[] {0.3}, new double[] {1}).assertPassed();
      assertFails(new GradientCheck().check(weaker, new double[] {0.3}, new double[] {-1}));
    }

    @Test
    void fails_though_the_slopes_to_both_sides_have_its_mean() {
      // the outlier makes the first step 2, a hundred times the width of the bump at 0
      double[][] x = {{0.001}, {1e6}, {-3}};
      Function<double[][], double[][]> f = at -> map(at, a -> Math.exp(-1e4 * a * a) + a / 1000);
      double[][] right = map(x, a -> -2e4 * a * Math.exp(-1e4 * a * a) + 0.001); // -19.8 at 0.001
      new GradientCheck().check(f, x, filled(3, 1, 1), right).assertPassed();
      GradientReport report = new GradientCheck().check(f, x, filled(3, 1, 1), filled(3, 1, 0.001));
      assertThat(report.failures()).as("%s", report).hasSize(1);
      assertThat(report.entries().get(0).low()).isCloseTo(-19.8, within(0.001));
    }

    @Test
    void fails_and_the_worst_entry_is_named() {
      double right = dcube()[1][2]; // 3 * 0.25 * 0.25 = 0.1875
      GradientReport report = checkCube(with(with(dcube(), 1, 2, 2 * right), 0, 0, 0.75 + 1e-3));
      assertFails(report);
      assertThat(report.failures()).hasSize(2);
      assertThat(report.failures())
          .extracting(Entry::name)
          .containsExactly("analytic[1][2]", "analytic[0][0]");
      Entry worst = report.entries().get(0);
      assertThat(worst.agrees()).isFalse();
      assertThat(worst.analytic()).isEqualTo(0.375);
      assertThat(worst.low()).isEqualTo(worst.high()).isCloseTo(0.1875, within(1e-9));
      assertThat(worst.difference()).isCloseTo(0.1875, within(1e-9));
      assertThat(worst.allowed()).isCloseTo(1e-6 * 0.375, within(1e-8));
    }

    @Test
    void in_eleven_entries_is_listed_in_full_and_printed_in_part() {
      double[] p = gaussian(random, 11);
      GradientReport report =
          new GradientCheck().check(at -> at, p, gaussian(random, 11), new double[11]);
      assertThat(report.failures()).hasSize(11).isEqualTo(report.entries());
      assertThat(report.toString().lines()).hasSize(1 + 5);
    }

    @ParameterizedTest
    @ValueSource(
        doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1.7e308})
    void that_is_not_finite_or_nearly_so_fails(double value) {
      GradientReport report = checkCube(with(dcube(), 0, 1, value));
      assertThat(report.failures()).hasSize(1);
      assertThat(report.entries().get(0).name()).isEqualTo("analytic[0][1]");
      assertThat(report.toString()).contains("analytic[0][1] is " + value + ", numerically -9.37");
    }

    @Test
    void of_a_function_that_gives_NaN_fails() {
      GradientReport report =
          new GradientCheck()
              .check(x -> map(x, a -> Double.NaN), X, DOUT, filled(2, 3, Double.NaN));
      assertThat(report.failures()).hasSize(6);
      assertThat(report.entries().get(0).name()).isEqualTo("analytic[0][0]"); // the first of equals
      assertThat(report.toString()).contains("numerically NaN", "f is not finite around here");
    }

    @Test
    void of_a_function_that_overflows_fails() {
      GradientReport report =
          new GradientCheck()
              .check(at -> map(at, a -> 1e308 * a), filled(1, 1, 1), filled(1, 1, 10), ONE);
      assertFails(report);
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.POSITIVE_INFINITY, 12345})
    void fails_beside_outputs_whose_squares_overflow(double value) {
      Function<double[][], double[][]> f = x -> map(x, a -> 1e160 * a * a);
      double[][] right = combine(DOUT, X, (g, a) -> 2e160 * g * a);
      new GradientCheck().check(f, X, DOUT, right).assertPassed();
      assertFails(new GradientCheck().check(f, X, DOUT, with(right, 0, 0, value)));
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 6, 7})
    void by_a_constant_column_fails(int n) {
      double[][] x = filled(n, 1, 1000000.1); // the plain mean of which is rounded
      double[][] dout = gaussian(random, n, 1);
      double[][] right = combine(dout, x, (g, a) -> 2 * g * a);
      Function<double[][], double[][]> f = at -> map(at, a -> a * a);
      new GradientCheck().check(f, x, dout, right).assertPassed();
      assertFails(new GradientCheck().check(f, x, dout, map(right, a -> -7 * a)));
    }

    /** The rows of w stand for powers of t: their gradients differ by 4 powers of ten. */
    @ParameterizedTest
    @ValueSource(doubles = {0, -1, 1.1, 1.001})
    void in_one_row_of_a_polynomial_regression_fails(double factor) {
      double[] t = gaussian(random, 30);
      double[][] powers = new double[30][5];
      for (int i = 0; i < 30; i++) {
        double at = 5 * t[i];
        Arrays.setAll(powers[i], k -> Math.pow(at, k));
      }
      double[][] w = {{236}, {-40}, {3}, {1}, {0.1}};
      double[][] y = map(gaussian(random, 30, 1), z -> 10 * z);
      Function<double[][], double[][]> error =
          at -> combine(product(powers, at), y, (out, target) -> out - target);
      ToDoubleFunction<double[][]> loss =
          at -> Arrays.stream(error.apply(at)).mapToDouble(row -> row[0] * row[0]).sum();
      double[][] right = product(transposed(powers), map(error.apply(w), e -> 2 * e));
      new GradientCheck().check(loss, w, right).assertPassed();
      for (int row = 0; row < 5; row++) {
        double[][] wrong = with(right, row, 0, factor * right[row][0]);
        assertThat(new GradientCheck().check(loss, w, wrong).failures())
            .as("row %s", row)
            .hasSize(1);
      }
    }

    @Test
    void fails_though_f_puts_the_right_one_in_its_place() {
      double[][] buffer = filled(2, 3, -999);
      GradientReport report =
          new GradientCheck()
              .check(
                  x -> {
                    for (int i = 0; i < 2; i++) {
                      System.arraycopy(dcube()[i], 0, buffer[i], 0, 3);
                    }
                    return cube(x);
                  },
                  X,
                  DOUT,
                  buffer);
      assertThat(report.failures()).hasSize(6);
    }

    @Test
    void of_zero_fails_where_the_function_moves() {
      assertThat(checkCube(new double[2][3]).failures()).hasSize(6);
    }

    @Test
    void throws_when_asserted_to_pass_and_the_message_is_the_whole_report() {
      GradientReport report = checkCube(with(dcube(), 0, 0, 0));
      assertThatThrownBy(report::assertPassed)
          .isInstanceOf(AssertionError.class)
          .hasMessage(report.toString());
    }

    @Test
    void prints_what_an_assertion_needs() {
      GradientReport report =
          new GradientCheck()
              .check(x -> 4 * x[0][0] + x[0][1], new double[][] {{0.3, 0.7}}, filled(1, 2, 1));
      assertThat(report.toString())
          .matches(
              "FAILED: 1 of 2 entries fail at tolerance 1.0e-06; 0 zero, 0 at a kink, 0 rough\n"
                  + "  analytic\\[0]\\[0] is 1.0, numerically [34].\\d*: difference 3.0e\\+00,"
                  + " allowed 4.0e-06");
    }
  }

  @Nested
  class An_entry {

    @Test
    void agrees_if_it_is_off_by_all_that_is_allowed() {
      assertThat(new Entry("dx", 1.5, 1, 1, 0.5, false).agrees()).isTrue();
      assertThat(new Entry("dx", Math.nextUp(1.5), 1, 1, 0.5, false).agrees()).isFalse();
      assertThat(new Entry("dx", 0.5, 1, 2, 0.5, false).agrees()).isTrue();
    }

    @Test
    void is_zero_if_analytic_and_numeric_are_no_more_than_what_is_allowed() {
      assertThat(new Entry("dx", -0.5, 0.25, 0.25, 0.5, false).isZero()).isTrue();
      assertThat(new Entry("dx", 0, -0.5, 0.5, 0.5, false).isZero()).isTrue();
      assertThat(new Entry("dx", Math.nextUp(0.5), 0.25, 0.25, 0.5, false).isZero()).isFalse();
    }
  }

  @Test
  void the_spread_of_a_column_is_its_standard_deviation() {
    double[][] x = {{1, 7, 1e200}, {3, 7, -1e200}, {1, 7, 1e200}, {3, 7, -1e200}};
    Gradient gradient = new Gradient("dx", false, at -> at, x, x, x);
    assertThat(gradient.spread(0)).isEqualTo(1);
    assertThat(gradient.spread(1)).isEqualTo(7);
    assertThat(gradient.spread(2)).isEqualTo(1e200);
  }

  /** What is said of a check as a whole. */
  @Nested
  class Reasons {

    @Test
    void say_when_the_check_is_vacuous() {
      GradientReport report =
          new GradientCheck().check(x -> cube(x)[0][0] * 0 + 1, X, filled(2, 3, 1e-17));
      assertThat(report.agrees()).as("%s", report).isTrue();
      assertThat(report.isVacuous()).isTrue();
      assertThat(report.passed()).isFalse();
      assertThat(report.zeros()).hasSize(6);
      assertThat(report.toString()).startsWith("VACUOUS: 0 of 6");
      assertThat(report.reasons())
          .containsExactly(
              "analytic: vacuous, a gradient of zeros would agree too",
              "analytic: no step moved an output, as if f ignored x, or is constant here");
    }

    @Test
    void do_not_call_a_constant_dout_vacuous() {
      assertThat(
              new GradientCheck().check(x -> cube(x), X, filled(2, 3, 1), map(X, a -> 3 * a * a)))
          .satisfies(GradientReport::assertPassed);
    }

    @Test
    void do_not_call_failures_vacuous() {
      GradientReport report =
          new GradientCheck().check(x -> filled(2, 3, 1), X, DOUT, with(X, 1, 1, 1));
      assertThat(report.failures()).hasSize(6);
      assertThat(report.isVacuous()).isFalse();
      assertThat(report.reasons())
          .containsExactly(
              "analytic: no step moved an output, as if f ignored x, or is constant here");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 13, 14})
    void say_when_f_is_not_repeatable(int changes) {
      // 1 call at the start, 12 for the entries, 1 at the end: from one of them on f is another
      int[] calls = {0};
      GradientReport report =
          new GradientCheck()
              .check(
                  x -> {
                    calls[0]++;
                    return map(cube(x), a -> calls[0] > changes ? a : Math.nextUp(a));
                  },
                  X,
                  DOUT,
                  dcube());
      assertThat(calls[0]).isEqualTo(14);
      assertThat(report.failures()).isEmpty();
      assertThat(report.agrees()).isEqualTo(changes == 14);
      assertThat(report.toString()).startsWith(changes == 14 ? "passed" : "FAILED");
      assertThat(report.reasons().toString())
          .isEqualTo(
              changes == 14
                  ? "[]"
                  : "[analytic: not repeatable, the last call of f differs from the first:"
                      + " the entries mean nothing]");
    }

    @Test
    void do_not_call_a_slope_of_exactly_0_rough() {
      double[] p = {1, 2};
      GradientReport report =
          new GradientCheck().check(at -> 1e6 * at[0], p, new double[] {1e6, 5e5});
      assertThat(report)
          .hasToString(
              "FAILED: 1 of 2 entries fail at tolerance 1.0e-06; 0 zero, 0 at a kink, 0 rough\n"
                  + "  analytic[1] is 500000.0, numerically 0.0: difference 5.0e+05, allowed 5.0e-01");
    }

    @Test
    void do_not_call_a_check_vacuous_that_is_not_repeatable() {
      Random dropout = new Random(1);
      double[] p = {1, 2};
      GradientReport report = new GradientCheck().check(at -> dropout.nextDouble(), p, p);
      assertFails(report);
      assertThat(report.reasons()).singleElement().asString().contains("not repeatable");
    }

    @Test
    void say_when_f_computes_in_float() {
      double[][] right = combine(DOUT, X, (g, a) -> g * Math.cos(a));
      Function<double[][], double[][]> inFloat = x -> map(x, a -> (float) Math.sin(a));
      GradientReport rough = new GradientCheck().check(inFloat, X, DOUT, right);
      rough.assertPassed();
      GradientReport report =
          new GradientCheck().check(inFloat, X, DOUT, map(right, a -> 1.01 * a));
      assertFails(report);
      for (GradientReport each : List.of(rough, report)) {
        assertThat(each.reasons())
            .containsExactly("analytic: all outputs are floats, as if f did not use double");
      }
      GradientReport inDouble =
          new GradientCheck().check(x -> map(x, Math::sin), X, DOUT, map(right, a -> -a));
      assertThat(inDouble.reasons()).isEmpty();
    }

    @Test
    void do_not_take_round_numbers_for_floats() {
      double[] one = {1};
      double[] wrong = {-2};
      assertThat(new GradientCheck().check(p -> 3 * p[0], one, wrong).reasons()).isEmpty();
      ToDoubleFunction<double[]> clip = p -> Math.max(-1, Math.min(p[0], 1));
      assertThat(new GradientCheck().check(clip, one, wrong).reasons()).isEmpty();
      ToDoubleFunction<double[]> step = p -> p[0] > 0.3 ? 1 : 0;
      assertThat(
              new GradientCheck().check(step, new double[] {0.30001}, new double[] {-2}).reasons())
          .isEmpty();
    }

    @Test
    void say_when_f_is_rough_and_refuse_what_is_wrong_even_so() {
      // waves far shorter than any step that leaves digits
      GradientReport report =
          new GradientCheck()
              .check(p -> p[0] + Math.sin(1e15 * p[0]) / 1000, new double[] {1}, new double[] {2});
      assertFails(report);
      assertThat(report.entries().get(0).isRough()).isTrue();
      assertThat(report.toString()).endsWith(", rough: noise hides its further digits");
    }
  }

  @Nested
  class Settings {

    @Test
    void tolerance_is_the_largest_relative_difference_that_passes() {
      double[][] analytic = {{1.25}}; // 0.25 of 1.25 is 0.2; what rounding adds is below 1e-3
      GradientCheck check = new GradientCheck();
      check.tolerance(0.2).check(at -> at[0][0], ONE, analytic).assertPassed();
      assertFails(check.tolerance(0.199).check(at -> at[0][0], ONE, analytic));
      assertFails(check.tolerance(0.999).check(at -> at[0][0], ONE, filled(1, 1, -1)));
    }

    @Test
    void progress_is_told_after_each_entry() {
      List<String> told = new ArrayList<>();
      new GradientCheck()
          .progress((done, total) -> told.add(done + "/" + total))
          .check(GradientCheckTest::cube, X, DOUT, dcube());
      assertThat(told).containsExactly("1/6", "2/6", "3/6", "4/6", "5/6", "6/6");
      told.clear();
      // 2 modes, of each 6 entries of dx, 3 of dgamma and of dbeta
      new GradientCheck()
          .progress((done, total) -> told.add(done + "/" + total))
          .checkLayer(new BatchNormLayer(3), gaussian(random, 2, 3), 1);
      assertThat(told).hasSize(24).startsWith("1/24", "2/24").endsWith("24/24");
    }

    @Test
    void are_refused_with_a_message() {
      GradientCheck check = new GradientCheck();
      refuses(() -> check.tolerance(0), "tolerance (0.0) must be in (0, 1)");
      refuses(() -> check.tolerance(1), "tolerance (1.0) must be in (0, 1)");
      refuses(() -> check.tolerance(Double.NaN), "tolerance (NaN) must be in (0, 1)");
      assertThatNullPointerException()
          .isThrownBy(() -> check.progress(null))
          .withMessage("progress is null");
    }
  }

  private static void refuses(Runnable call, String message) {
    assertThatIllegalArgumentException().isThrownBy(call::run).withMessage(message);
  }

  @Nested
  class Arguments {
    private final Function<double[][], double[][]> f = GradientCheckTest::cube;
    private final double[] one = {1};

    @Test
    void of_which_one_is_null_are_refused() {
      isNull(
          () -> new GradientCheck().check((Function<double[][], double[][]>) null, X, X, X), "f");
      isNull(() -> new GradientCheck().check(f, null, X, X), "x");
      isNull(() -> new GradientCheck().check(f, new double[1][], X, X), "x[0]");
      isNull(() -> new GradientCheck().check(f, X, null, X), "dout");
      isNull(() -> new GradientCheck().check(f, X, X, null), "analytic");
      isNull(() -> new GradientCheck().check(x -> null, X, X, X), "f(x)");
      isNull(() -> new GradientCheck().check(p -> null, new double[1], X, new double[1]), "f(p)");
      isNull(() -> new GradientCheck().check(p -> X, null, X, new double[1]), "p");
      isNull(
          () -> new GradientCheck().check(p -> X, new double[1], X, (double[]) null), "analytic");
      isNull(() -> new GradientCheck().check((ToDoubleFunction<double[][]>) null, X, X), "loss");
      isNull(
          () ->
              new GradientCheck()
                  .check((ToDoubleFunction<double[]>) null, new double[1], new double[1]),
          "loss");
      isNull(() -> new GradientCheck().check(p -> X, one, (double[][]) null, one), "dout");
      isNull(() -> new GradientCheck().check(p -> one, one, (double[]) null, one), "dout");
      isNull(
          () -> new GradientCheck().check((Function<double[], double[]>) null, one, one, one), "f");
      isNull(
          () -> new GradientCheck().check((Function<double[][], double[]>) null, X, one, X), "f");
      isNull(() -> new GradientCheck().check(x -> one, X, (double[]) null, X), "dout");
      isNull(
          () ->
              new GradientCheck()
                  .check((Function<double[], double[][]>) null, new double[1], X, null),
          "f");
    }

    private static void isNull(Runnable call, String name) {
      assertThatNullPointerException().isThrownBy(call::run).withMessage(name + " is null");
    }

    @Test
    void whose_shapes_do_not_fit_are_refused() {
      double[][] wide = new double[2][4];
      refuses(
          () -> new GradientCheck().check(f, new double[0][], DOUT, X),
          "x has 0 rows, expected at least 1");
      refuses(
          () -> new GradientCheck().check(f, new double[1][0], DOUT, X),
          "x[0] has 0 values, expected at least 1");
      refuses(
          () -> new GradientCheck().check(f, new double[][] {{1, 2}, {3}}, DOUT, X),
          "x[1] has 1 value, expected 2");
      refuses(
          () -> new GradientCheck().check(f, X, DOUT, wide),
          "analytic[0] has 4 values, expected 3");
      refuses(
          () -> new GradientCheck().check(f, X, DOUT, new double[3][3]),
          "analytic has shape (3, 3), expected (2, 3) as x");
      refuses(() -> new GradientCheck().check(f, X, wide, X), "f(x)[0] has 3 values, expected 4");
      refuses(
          () -> new GradientCheck().check(f, X, new double[3][3], X),
          "f(x) has shape (2, 3), expected (3, 3) as dout");
      refuses(
          () -> new GradientCheck().check(p -> X, new double[0], DOUT, new double[0]),
          "p has 0 values, expected at least 1");
      refuses(
          () -> new GradientCheck().check(p -> X, new double[2], DOUT, new double[1]),
          "analytic has 1 value, expected 2");
    }

    @Test
    void that_are_not_finite_are_refused() {
      refuses(
          () -> new GradientCheck().check(f, with(X, 1, 2, Double.NaN), DOUT, X),
          "x[1][2] is NaN, expected a finite value");
      refuses(
          () -> new GradientCheck().check(f, X, with(X, 0, 1, Double.NEGATIVE_INFINITY), X),
          "dout[0][1] is -Infinity, expected a finite value");
      refuses(
          () ->
              new GradientCheck()
                  .check(
                      p -> X,
                      new double[2],
                      with(X, 0, 1, Double.POSITIVE_INFINITY),
                      new double[2]),
          "dout[0][1] is Infinity, expected a finite value");
      refuses(
          () ->
              new GradientCheck().check(p -> X, new double[] {1, Double.NaN}, DOUT, new double[2]),
          "p[1] is NaN, expected a finite value");
    }

    @Test
    void are_never_written_even_if_f_writes_its_own_and_throws() {
      double[][] x = copy(X);
      double[][] dout = copy(DOUT);
      double[][] analytic = dcube();
      int[] calls = {0};
      assertThatThrownBy(
              () ->
                  new GradientCheck()
                      .check(
                          at -> {
                            double[][] out = cube(at);
                            Arrays.fill(at[0], Double.NaN);
                            if (++calls[0] == 5) {
                              throw new IllegalStateException("on purpose");
                            }
                            return out;
                          },
                          x,
                          dout,
                          analytic))
          .hasMessage("on purpose");
      assertThat(bits(x)).isEqualTo(bits(X));
      assertThat(bits(dout)).isEqualTo(bits(DOUT));
      assertThat(bits(analytic)).isEqualTo(bits(dcube()));
      double[] p = {1, 2};
      new GradientCheck()
          .check(
              at -> {
                double sum = at[0] + at[1];
                at[0] = 17;
                return sum;
              },
              p,
              new double[] {1, 1});
      assertThat(p).containsExactly(1, 2);
    }

    @Test
    void may_be_a_function_that_returns_the_same_array_every_time() {
      double[][] buffer = new double[2][3];
      GradientReport report =
          new GradientCheck()
              .check(
                  x -> {
                    double[][] out = cube(x);
                    for (int i = 0; i < out.length; i++) {
                      System.arraycopy(out[i], 0, buffer[i], 0, out[i].length);
                    }
                    return buffer;
                  },
                  X,
                  DOUT,
                  dcube());
      report.assertPassed();
    }
  }

  /** Batch norm with the mistakes that people make, and the dout that hides them. */
  @Nested
  class Batch_norm {
    private final double[][] x = input(random, 5, 4);
    private final double[] gamma = {1.5, -1.25, 1.75, 2};
    private final double[] beta = gaussian(random, 4);

    private NaiveGraph naive(double[][] x) {
      return new NaiveGraph(x, gamma, beta, 1e-5);
    }

    private GradientReport check(double[][] dout, NaiveGraph.Mutant mutant) {
      return new GradientCheck()
          .check(at -> naive(at).out, x, dout, naive(x).backward(dout, mutant).dx);
    }

    @ParameterizedTest
    @EnumSource(NaiveGraph.Mutant.class)
    void is_rejected_with_a_random_dout_if_it_is_wrong(NaiveGraph.Mutant mutant) {
      GradientReport report = check(gaussian(random, 5, 4), mutant);
      assertThat(report.agrees()).as("%s", report).isEqualTo(mutant == NaiveGraph.Mutant.NONE);
      assertThat(report.isVacuous()).isFalse();
    }

    /** PRIOR ART: PyTorch's, Keras's and others' first tests of batch norm sum the output. */
    @ParameterizedTest
    @EnumSource(NaiveGraph.Mutant.class)
    void agrees_with_dout_of_ones_even_if_it_is_wrong_but_does_not_pass(NaiveGraph.Mutant mutant) {
      GradientReport report = check(filled(5, 4, 1), mutant);
      boolean shows = mutant == NaiveGraph.Mutant.MEAN_PATH_DROPPED;
      assertThat(report.agrees()).as("%s", report).isEqualTo(!shows);
      assertThat(report.isVacuous()).isEqualTo(!shows);
      assertThat(report.passed()).isFalse();
    }

    @Test
    void with_two_rows_agrees_though_there_is_little_gradient() {
      // dx is about 3e-6, the outputs are about 1
      double[][] two = {{1, 5}, {2, 9}};
      double[][] dout = {{1, -2}, {0.5, 3}};
      BatchNormLayer layer = new BatchNormLayer(2);
      layer.forward(two);
      new GradientCheck()
          .check(layer::forward, two, dout, layer.backward(dout).dx())
          .assertPassed();
    }
  }
}
