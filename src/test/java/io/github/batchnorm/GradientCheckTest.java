package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.bits;
import static io.github.batchnorm.TestData.combine;
import static io.github.batchnorm.TestData.copy;
import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestData.input;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.batchnorm.GradientCheck.Report;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The checker on functions whose derivatives are known by calculus, and on batch norm, right and
 * wrong.
 */
@DisplayName("GradientCheck (seed 43)")
class GradientCheckTest {
  private static final double[][] X = {{0.5, -1.25, 3}, {2, 0.75, -0.5}};
  private static final double[][] DOUT = {{1, -2, 3}, {-4, 5, 0.25}};

  private final Random random = new Random(43);

  private static double[][] map(double[][] values, DoubleUnaryOperator operator) {
    return combine(values, values, (a, same) -> operator.applyAsDouble(a));
  }

  private static double[][] cube(double[][] x) {
    return map(x, a -> a * a * a);
  }

  /** d(Σ dout * x³) / dx = 3 * dout * x². */
  private static double[][] dcube() {
    return combine(DOUT, X, (g, a) -> 3 * g * a * a);
  }

  private static Report checkCube(double[][] analytic) {
    return GradientCheck.check(GradientCheckTest::cube, X, DOUT, analytic);
  }

  private static double[][] with(double[][] values, int i, int j, double value) {
    double[][] copy = copy(values);
    copy[i][j] = value;
    return copy;
  }

  private static double[][] filled(int n, int d, double value) {
    return map(new double[n][d], zero -> value);
  }

  @Nested
  class A_right_gradient {

    @Test
    void of_a_function_of_a_matrix_passes() {
      Report report = checkCube(dcube());
      assertThat(report.passed()).as("%s", report).isTrue();
      assertThat(report.isVacuous()).isFalse();
      assertThat(report.checked()).isEqualTo(6);
      assertThat(report.failed()).isZero();
      assertThat(report.worst().relativeError()).isLessThan(1e-9);
    }

    @Test
    void of_a_function_of_a_vector_passes() {
      double[] p = {2, -3};
      double[][] dout = {{1, 2}, {3, 4}, {5, 6}};
      // f = (p0, p1)ᵀ twice, and p0 * p1: d/dp0 = 1 + 3 + 5 * p1, d/dp1 = 2 + 4 + 5 * p0
      Function<double[], double[][]> f =
          at -> new double[][] {{at[0], at[1]}, {at[0], at[1]}, {at[0] * at[1], 7}};
      Report report = GradientCheck.check(f, p, dout, new double[] {-11, 16});
      assertThat(report.passed()).as("%s", report).isTrue();
      assertThat(report.checked()).isEqualTo(2);
      assertThat(report.worst().name()).matches("analytic\\[[01]]");
    }

    @Test
    void of_a_vector_by_a_vector_passes() {
      // f = (p0 * p1, p0²): d/dp0 = 3 * p1 + 4 * 2 * p0, d/dp1 = 3 * p0
      Report report =
          GradientCheck.check(
              p -> new double[] {p[0] * p[1], p[0] * p[0]},
              new double[] {2, -3},
              new double[] {3, 4},
              new double[] {7, 6});
      assertThat(report.passed()).as("%s", report).isTrue();
      assertThat(report.isVacuous()).isFalse();
    }

    @Test
    void of_a_loss_passes() {
      // Σ x³ / 3 has the gradient x²
      assertThat(
              GradientCheck.check(
                      x -> Arrays.stream(cube(x)).flatMapToDouble(Arrays::stream).sum() / 3,
                      X,
                      map(X, a -> a * a))
                  .passed())
          .isTrue();
      // p0 * exp(p1)
      assertThat(
              GradientCheck.check(
                      p -> p[0] * Math.exp(p[1]),
                      new double[] {3, 0.5},
                      new double[] {Math.exp(0.5), 3 * Math.exp(0.5)})
                  .passed())
          .isTrue();
    }

    @Test
    void passes_where_both_are_zero() {
      // 0³ has the derivative 0
      double[][] x = {{0, 1}, {2, 3}};
      double[][] dout = {{1, 2}, {3, 4}};
      Report report =
          GradientCheck.check(
              GradientCheckTest::cube, x, dout, combine(dout, x, (g, a) -> 3 * g * a * a));
      assertThat(report.passed()).as("%s", report).isTrue();
      assertThat(report.isVacuous()).isFalse();
    }

    @Test
    void prints_as_passed() {
      Report report =
          GradientCheck.options()
              .step(0.5)
              .check(x -> 4 * x[0][0], new double[][] {{1}}, new double[][] {{4}});
      assertThat(report)
          .hasToString(
              String.format(
                  "passed: 0 of 1 entries differ by more than 1.0e-06%n"
                      + "  worst: analytic[0][0] is 4.0, numerically 4.0: relative error 0.0e+00,"
                      + " absolute 0.0e+00, step 5.0e-01"));
    }

    @ParameterizedTest
    @ValueSource(doubles = {1e-200, 1e-30, 1, 1e30, 1e200})
    void is_found_on_every_scale(double scale) {
      double[][] x = map(X, a -> a * scale);
      Function<double[][], double[][]> f = at -> map(at, a -> Math.sin(a / scale));
      double[][] right = combine(DOUT, X, (g, a) -> g * Math.cos(a) / scale);
      Report report = GradientCheck.check(f, x, DOUT, right);
      assertThat(report.passed()).as("%s", report).isTrue();
      assertThat(GradientCheck.check(f, x, DOUT, map(right, a -> 1.0001 * a)).failed())
          .isEqualTo(6);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 1e3, 1e8})
    void is_told_from_a_wrong_one_beside_a_large_output(double offset) {
      Function<double[][], double[][]> f = x -> map(cube(x), a -> a + offset);
      // 1e8 is rounded by 1.5e-8, which a step of 4e-6 makes 4e-3: the gradient is blurred
      assertThat(GradientCheck.check(f, X, DOUT, dcube()).passed()).isTrue();
      double[][] wrong = map(dcube(), a -> 1.01 * a);
      assertThat(GradientCheck.check(f, X, DOUT, wrong).passed()).isFalse();
      double[][] right = dcube();
      assertThat(GradientCheck.options().step(0.125).order(4).check(f, X, DOUT, right).passed())
          .isTrue();
    }

    @Test
    void comes_nearer_with_order_4() {
      double[][] right = combine(DOUT, X, (g, a) -> g * Math.cos(a));
      Function<double[][], double[][]> sin = x -> map(x, Math::sin);
      double order2 =
          GradientCheck.options().order(2).check(sin, X, DOUT, right).worst().relativeError();
      double order4 =
          GradientCheck.options().order(4).check(sin, X, DOUT, right).worst().relativeError();
      assertThat(order4).isPositive().isLessThan(order2 / 20);
    }

    @Test
    void of_order_4_is_exact_on_cubic_functions_whatever_the_step() {
      GradientCheck.Options options = GradientCheck.options().step(0.25);
      Report coarse = options.order(2).check(GradientCheckTest::cube, X, DOUT, dcube());
      // ((x + h)³ - (x - h)³) / 2h = 3x² + h²
      assertThat(coarse.failed()).isEqualTo(6);
      assertThat(coarse.worst().step()).isEqualTo(0.25);
      Report exact = options.order(4).check(GradientCheckTest::cube, X, DOUT, dcube());
      assertThat(exact.passed()).as("%s", exact).isTrue();
      assertThat(exact.worst().relativeError()).isLessThan(1e-14);
    }

    @Test
    void is_divided_by_the_step_that_is_really_taken() {
      // 1e8 + 1e-7 is 1e8 + 1.04e-7 as a double: with 2e-7 below, 3x would have the slope 3.13
      double[][] x = {{1e8}};
      Report report =
          GradientCheck.options()
              .step(1e-7)
              .check(at -> map(at, a -> 3 * (a - 1e8)), x, new double[][] {{1}}, filled(1, 1, 3));
      assertThat(report.worst().numeric()).isEqualTo(3);
    }

    @Test
    void is_found_where_the_step_by_default_would_not_move_x() {
      // the spread is taken for 1, but the next double is 1.5e284 away; f rounds by a tenth of that
      double[][] x = {{1e300}};
      Report report =
          GradientCheck.check(
              at -> map(at, a -> a / 1e300), x, filled(1, 1, 1), filled(1, 1, 1e-300));
      assertThat(report.worst().numeric()).isCloseTo(1e-300, within(1e-301));
    }
  }

  @Nested
  class A_wrong_gradient {

    @Test
    void fails_and_the_worst_entry_is_named() {
      double right = dcube()[1][2]; // 3 * 0.25 * 0.25 = 0.1875
      Report report = checkCube(with(with(dcube(), 1, 2, 2 * right), 0, 0, 0.75 + 1e-3));
      assertThat(report.passed()).isFalse();
      assertThat(report.failed()).isEqualTo(2);
      GradientCheck.Entry worst = report.worst();
      assertThat(worst.name()).isEqualTo("analytic[1][2]");
      assertThat(worst.row()).isEqualTo(1);
      assertThat(worst.column()).isEqualTo(2);
      assertThat(worst.analytic()).isEqualTo(0.375);
      assertThat(worst.numeric()).isCloseTo(0.1875, within(1e-9));
      assertThat(worst.absoluteError()).isCloseTo(0.1875, within(1e-9));
      // the floor is the largest of the column, 3 * 3 * 9
      assertThat(worst.relativeError()).isCloseTo(0.1875 / 81, within(1e-9));
      assertThat(worst.step()).isPositive().isLessThan(1e-4);
    }

    @ParameterizedTest
    @ValueSource(
        doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1.7e308})
    void that_is_not_finite_or_nearly_so_fails(double value) {
      Report report = checkCube(with(dcube(), 0, 1, value));
      assertThat(report.failed()).isEqualTo(1);
      assertThat(report.worst().column()).isEqualTo(1);
      assertThat(report.passed()).isFalse();
    }

    @Test
    void fails_where_both_are_too_large_to_add() {
      Report report =
          GradientCheck.check(
              at -> map(at, a -> 1e308 * a),
              filled(1, 1, 0),
              filled(1, 1, 1),
              filled(1, 1, 1.7e308));
      assertThat(report.passed()).isFalse();
      assertThat(report.worst().relativeError()).isInfinite();
    }

    @Test
    void of_a_function_that_gives_NaN_fails() {
      Report report =
          GradientCheck.check(x -> map(x, a -> Double.NaN), X, DOUT, filled(2, 3, Double.NaN));
      assertThat(report.failed()).isEqualTo(6);
      assertThat(report.worst().name()).isEqualTo("analytic[0][0]"); // the first of equals
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.POSITIVE_INFINITY, 12345})
    void fails_beside_outputs_whose_squares_overflow(double value) {
      Function<double[][], double[][]> f = x -> map(x, a -> 1e160 * a * a);
      double[][] right = combine(DOUT, X, (g, a) -> 2e160 * g * a);
      assertThat(GradientCheck.check(f, X, DOUT, right).passed()).isTrue();
      assertThat(GradientCheck.check(f, X, DOUT, with(right, 0, 0, value)).passed()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 6, 7})
    void by_a_constant_column_fails(int n) {
      double[][] x = filled(n, 1, 1000000.1); // the plain mean of which is rounded
      double[][] dout = gaussian(random, n, 1);
      double[][] right = combine(dout, x, (g, a) -> 2 * g * a);
      Function<double[][], double[][]> f = at -> map(at, a -> a * a);
      assertThat(GradientCheck.check(f, x, dout, right).passed()).isTrue();
      assertThat(GradientCheck.check(f, x, dout, map(right, a -> -7 * a)).passed()).isFalse();
    }

    @Test
    void fails_though_f_puts_the_right_one_in_its_place() {
      double[][] buffer = filled(2, 3, -999);
      Report report =
          GradientCheck.check(
              x -> {
                for (int i = 0; i < 2; i++) {
                  System.arraycopy(dcube()[i], 0, buffer[i], 0, 3);
                }
                return cube(x);
              },
              X,
              DOUT,
              buffer);
      assertThat(report.failed()).isEqualTo(6);
    }

    @Test
    void of_zero_fails_where_the_function_moves() {
      assertThat(checkCube(new double[2][3]).failed()).isEqualTo(6);
    }

    @Test
    void of_which_one_entry_is_not_zero_where_the_function_does_not_move_fails() {
      Report report =
          GradientCheck.check(x -> filled(2, 3, 1), X, DOUT, with(new double[2][3], 1, 1, 1e-3));
      assertThat(report.failed()).isEqualTo(1);
    }

    @Test
    void prints_what_an_assertion_needs() {
      Report report =
          GradientCheck.options()
              .step(0.5)
              .check(x -> 4 * x[0][0] + x[0][1], new double[][] {{1, 2}}, new double[][] {{5, 1}});
      // |5 - 4| / (5 + 4)
      assertThat(report)
          .hasToString(
              String.format(
                  "FAILED: 1 of 2 entries differ by more than 1.0e-06%n"
                      + "  worst: analytic[0][0] is 5.0, numerically 4.0: relative error 1.1e-01,"
                      + " absolute 1.0e+00, step 5.0e-01"));
    }
  }

  @Nested
  class Step {
    /** A check of one entry that fails, so that its step is told. */
    private double step(int order, double[][] x, int row) {
      double[][] dout = new double[x.length][1];
      dout[row][0] = 1;
      double[][] wrong = new double[x.length][1];
      wrong[row][0] = 1e9;
      GradientCheck.Entry worst =
          GradientCheck.options().order(order).check(at -> copy(at), x, dout, wrong).worst();
      assertThat(worst.row()).isEqualTo(row);
      return worst.step();
    }

    @Test
    void follows_the_standard_deviation_of_the_column() {
      // mean 0, variance (9 + 9 + 1 + 1) / 4 = 5; √5 * ∛2^-52 = 1.354e-5, and 2^-17 = 7.6e-6
      double[][] x = {{3}, {-3}, {1}, {-1}};
      assertThat(step(2, x, 2)).isEqualTo(0x1p-17);
      // a mean of 1 does not change that
      assertThat(step(2, map(x, a -> a + 1), 2)).isEqualTo(0x1p-17);
      // 2^10 times the spread, 2^10 times the step
      assertThat(step(2, map(x, a -> 1024 * a), 2)).isEqualTo(0x1p-7);
      assertThat(step(2, map(x, a -> a / 1024), 2)).isEqualTo(0x1p-27);
      // √5 * 2^-10.4 = 1.65e-3, and 2^-10 = 9.8e-4
      assertThat(step(4, x, 2)).isEqualTo(0x1p-10);
    }

    @Test
    void is_longer_where_the_mean_is_large_beside_the_spread() {
      // ulp(2^30) = 2^-22; √5 * ∛(2^-22 / √5) = 1.06e-2, and 2^-7 = 7.8e-3
      double[][] x = map(new double[][] {{3}, {-3}, {1}, {-1}}, a -> a + 0x1p30);
      assertThat(step(2, x, 2)).isEqualTo(0x1p-7);
    }

    @Test
    void is_for_a_spread_of_1_where_there_is_none() {
      // ∛2^-52 = 6.06e-6, and 2^-18 = 3.8e-6
      assertThat(step(2, new double[][] {{1}, {1}}, 1)).isEqualTo(0x1p-18);
    }
  }

  @Nested
  class Options {

    @Test
    void tolerance_is_the_largest_relative_error_that_passes() {
      double[][] x = {{1}};
      double[][] analytic = {{1.5}}; // |1.5 - 1| / 2.5 = 0.2
      GradientCheck.Options options = GradientCheck.options().step(0.5);
      assertThat(options.tolerance(0.2).check(at -> at[0][0], x, analytic).passed()).isTrue();
      assertThat(options.tolerance(0.19).check(at -> at[0][0], x, analytic).passed()).isFalse();
    }

    @Test
    void floor_bounds_the_denominator_and_what_is_about_zero() {
      double[][] x = {{1}};
      double[][] analytic = {{1.5}};
      GradientCheck.Options options = GradientCheck.options().step(0.5);
      assertThat(options.floor(5).check(at -> 8 * at[0][0], x, analytic).worst().relativeError())
          .isEqualTo(6.5 / 9.5);
      assertThat(options.floor(10).check(at -> 12 * at[0][0], x, analytic).worst().relativeError())
          .isEqualTo(10.5 / 13.5);
      Report zero = options.floor(1.5).check(at -> at[0][0], x, analytic);
      assertThat(zero.passed()).isTrue();
      assertThat(zero.isVacuous()).isTrue();
      assertThat(zero.worst().relativeError()).isZero();
    }

    @Test
    void sample_checks_so_many_different_entries_of_a_seed() {
      double[][] x = gaussian(random, 6, 7);
      double[][] dout = gaussian(random, 6, 7);
      double[][] wrong = filled(6, 7, 100);
      Set<String> names = new HashSet<>();
      for (long seed = 0; seed < 300; seed++) {
        Report one = GradientCheck.options().sample(1, seed).check(a -> cube(a), x, dout, wrong);
        assertThat(one.checked()).isEqualTo(1);
        names.add(one.worst().name());
      }
      assertThat(names).hasSize(42); // every entry comes up, first and last too
      Report most = GradientCheck.options().sample(41, 1).check(a -> cube(a), x, dout, wrong);
      assertThat(most.checked()).isEqualTo(41);
      assertThat(most.failed()).isEqualTo(41);
      assertThat(
              GradientCheck.options().sample(42, 1).check(a -> cube(a), x, dout, wrong).checked())
          .isEqualTo(42);
      assertThat(
              GradientCheck.options().sample(99, 1).check(a -> cube(a), x, dout, wrong).checked())
          .isEqualTo(42);
    }

    @Test
    void progress_is_told_after_each_entry() {
      List<String> told = new ArrayList<>();
      GradientCheck.options()
          .onProgress((done, total) -> told.add(done + "/" + total))
          .check(GradientCheckTest::cube, X, DOUT, dcube());
      assertThat(told).containsExactly("1/6", "2/6", "3/6", "4/6", "5/6", "6/6");
      told.clear();
      // 2 modes, of each 2 of 6 entries of dx, 2 of 3 of dgamma and of dbeta
      GradientCheck.options()
          .sample(2, 1)
          .onProgress((done, total) -> told.add(done + "/" + total))
          .of(new BatchNormLayer(3), gaussian(random, 2, 3), 1);
      assertThat(told).hasSize(12).startsWith("1/12", "2/12").endsWith("12/12");
    }

    @Test
    void are_refused_with_a_message() {
      GradientCheck.Options options = GradientCheck.options();
      refuses(() -> options.step(0), "step (0.0) must be finite and > 0");
      refuses(() -> options.step(Double.NaN), "step (NaN) must be finite and > 0");
      refuses(() -> options.tolerance(-1), "tolerance (-1.0) must be finite and > 0");
      refuses(
          () -> options.floor(Double.POSITIVE_INFINITY), "floor (Infinity) must be finite and > 0");
      refuses(() -> options.order(3), "order (3) must be 2 or 4");
      refuses(() -> options.sample(0, 1), "count (0) must be >= 1");
      assertThatNullPointerException()
          .isThrownBy(() -> options.onProgress(null))
          .withMessage("progress is null");
    }
  }

  private static void refuses(Runnable call, String message) {
    assertThatIllegalArgumentException().isThrownBy(call::run).withMessage(message);
  }

  @Nested
  class Arguments {

    @Test
    void of_which_one_is_null_are_refused() {
      Function<double[][], double[][]> f = GradientCheckTest::cube;
      isNull(() -> GradientCheck.check((Function<double[][], double[][]>) null, X, X, X), "f");
      isNull(() -> GradientCheck.check(f, null, X, X), "x");
      isNull(() -> GradientCheck.check(f, new double[1][], X, X), "x[0]");
      isNull(() -> GradientCheck.check(f, X, null, X), "dout");
      isNull(() -> GradientCheck.check(f, X, X, null), "analytic");
      isNull(() -> GradientCheck.check(x -> null, X, X, X), "f(x)");
      isNull(() -> GradientCheck.check(p -> null, new double[1], X, new double[1]), "f(p)");
      isNull(() -> GradientCheck.check(p -> X, null, X, new double[1]), "p");
      isNull(() -> GradientCheck.check(p -> X, new double[1], X, (double[]) null), "analytic");
      isNull(() -> GradientCheck.of(null, X, 1), "layer");
      isNull(() -> GradientCheck.check((ToDoubleFunction<double[][]>) null, X, X), "loss");
      isNull(
          () ->
              GradientCheck.check((ToDoubleFunction<double[]>) null, new double[1], new double[1]),
          "loss");
      double[] one = {1};
      isNull(() -> GradientCheck.check(p -> X, one, (double[][]) null, one), "dout");
      isNull(() -> GradientCheck.check(p -> one, one, (double[]) null, one), "dout");
      isNull(() -> GradientCheck.check((Function<double[], double[]>) null, one, one, one), "f");
      isNull(
          () -> GradientCheck.check((Function<double[], double[][]>) null, new double[1], X, null),
          "f");
    }

    private static void isNull(Runnable call, String name) {
      assertThatNullPointerException().isThrownBy(call::run).withMessage(name + " is null");
    }

    @Test
    void whose_shapes_do_not_fit_are_refused() {
      Function<double[][], double[][]> f = GradientCheckTest::cube;
      double[][] wide = new double[2][4];
      refuses(
          () -> GradientCheck.check(f, new double[0][], DOUT, X),
          "x has 0 rows, expected at least 1");
      refuses(
          () -> GradientCheck.check(f, new double[1][0], DOUT, X),
          "x[0] has 0 values, expected at least 1");
      refuses(
          () -> GradientCheck.check(f, new double[][] {{1, 2}, {3}}, DOUT, X),
          "x[1] has 1 value, expected 2");
      refuses(() -> GradientCheck.check(f, X, DOUT, wide), "analytic[0] has 4 values, expected 3");
      refuses(
          () -> GradientCheck.check(f, X, DOUT, new double[3][3]),
          "analytic has shape (3, 3), expected (2, 3) as x");
      refuses(() -> GradientCheck.check(f, X, wide, X), "f(x)[0] has 3 values, expected 4");
      refuses(
          () -> GradientCheck.check(f, X, new double[3][3], X),
          "f(x) has shape (2, 3), expected (3, 3) as dout");
      refuses(
          () -> GradientCheck.check(p -> X, new double[0], DOUT, new double[0]),
          "p has 0 values, expected at least 1");
      refuses(
          () -> GradientCheck.check(p -> X, new double[2], DOUT, new double[1]),
          "analytic has 1 value, expected 2");
    }

    @Test
    void that_are_not_finite_are_refused() {
      Function<double[][], double[][]> f = GradientCheckTest::cube;
      refuses(
          () -> GradientCheck.check(f, with(X, 1, 2, Double.NaN), DOUT, X),
          "x[1][2] is NaN, expected a finite value");
      refuses(
          () -> GradientCheck.check(f, X, with(X, 0, 1, Double.NEGATIVE_INFINITY), X),
          "dout[0][1] is -Infinity, expected a finite value");
      refuses(
          () ->
              GradientCheck.check(
                  p -> X, new double[2], with(X, 0, 1, Double.POSITIVE_INFINITY), new double[2]),
          "dout[0][1] is Infinity, expected a finite value");
      refuses(
          () -> GradientCheck.check(p -> X, new double[] {1, Double.NaN}, DOUT, new double[2]),
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
                  GradientCheck.check(
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
      GradientCheck.check(
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
      Report report =
          GradientCheck.check(
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
      assertThat(report.passed()).as("%s", report).isTrue();
    }
  }

  @Nested
  class Guards {

    @Test
    void say_when_all_gradients_are_zero() {
      Report report = GradientCheck.check(x -> filled(2, 3, 1), X, DOUT, new double[2][3]);
      assertThat(report.passed()).isTrue();
      assertThat(report.isVacuous()).isTrue();
      assertThat(report.toString())
          .startsWith("VACUOUS: 0 of 6")
          .endsWith("vacuous: analytic: all gradients are about zero");
    }

    @Test
    void say_when_dout_is_constant_down_each_column() {
      double[][] dout = {{1, 2, 3}, {1, 2, 3}};
      Report report = GradientCheck.check(GradientCheckTest::cube, X, dout, map(X, a -> 3 * a * a));
      assertThat(report.isVacuous()).isTrue();
      assertThat(report.toString())
          .contains("vacuous: analytic: dout is constant down each column");
      dout[1][2] = 4;
      assertThat(GradientCheck.check(GradientCheckTest::cube, X, dout, X).isVacuous()).isFalse();
    }

    @Test
    void do_not_take_one_row_for_constant() {
      Report report =
          GradientCheck.check(
              GradientCheckTest::cube, new double[][] {X[0]}, filled(1, 3, 1), filled(1, 3, 1));
      assertThat(report.isVacuous()).isFalse();
    }

    @Test
    void say_when_f_is_not_repeatable() {
      int[] calls = {0};
      Report report =
          GradientCheck.check(
              x -> map(cube(x), a -> calls[0]++ < 6 ? Math.nextUp(a) : a), X, DOUT, dcube());
      assertThat(report.failed()).isZero();
      assertThat(report.passed()).isFalse();
      assertThat(report.toString())
          .startsWith("FAILED")
          .contains("not repeatable: analytic: two calls of f at the same point differ");
    }
  }

  /** Batch norm with the mistakes that people make, and the dout that hides them. */
  @Nested
  class Batch_norm {
    private static final double EPS = 1e-5;

    private final double[][] x = input(random, 5, 4);
    private final double[] gamma = {1.5, -1.25, 1.75, 2};
    private final double[] beta = gaussian(random, 4);

    private NaiveGraph naive(double[][] x) {
      return new NaiveGraph(x, gamma, beta, EPS);
    }

    private Report check(double[][] dout, NaiveGraph.Mutant mutant) {
      return GradientCheck.check(at -> naive(at).out, x, dout, naive(x).backward(dout, mutant).dx);
    }

    @ParameterizedTest
    @EnumSource(NaiveGraph.Mutant.class)
    void is_rejected_with_a_random_dout_if_it_is_wrong(NaiveGraph.Mutant mutant) {
      Report report = check(gaussian(random, 5, 4), mutant);
      assertThat(report.passed()).as("%s", report).isEqualTo(mutant == NaiveGraph.Mutant.NONE);
      assertThat(report.isVacuous()).isFalse();
    }

    /** PRIOR ART: PyTorch's, Keras's and others' first tests of batch norm sum the output. */
    @ParameterizedTest
    @EnumSource(NaiveGraph.Mutant.class)
    void passes_with_dout_of_ones_even_if_it_is_wrong_and_the_check_says_so(
        NaiveGraph.Mutant mutant) {
      Report report = check(filled(5, 4, 1), mutant);
      assertThat(report.passed())
          .as("%s", report)
          .isEqualTo(mutant != NaiveGraph.Mutant.MEAN_PATH_DROPPED);
      assertThat(report.isVacuous()).isTrue();
      assertThat(report.toString()).contains("dout is constant down each column");
    }

    @Test
    void with_two_rows_passes_though_rounding_blurs_what_little_gradient_there_is() {
      // dx is about 3e-6, and the numeric one off by 4e-11: 1.2e-5 of it
      double[][] two = {{1, 5}, {2, 9}};
      double[][] dout = {{1, -2}, {0.5, 3}};
      BatchNormLayer layer = new BatchNormLayer(2);
      layer.forward(two);
      Report report = GradientCheck.check(layer::forward, two, dout, layer.backward(dout).dx());
      assertThat(report.passed()).as("%s", report).isTrue();
      assertThat(report.worst().absoluteError()).isGreaterThan(1e-12);
    }

    @Test
    void has_no_gradient_with_dout_of_ones() {
      Report report = check(filled(5, 4, 1), NaiveGraph.Mutant.NONE);
      assertThat(report.toString()).contains("all gradients are about zero");
    }
  }

  @Nested
  class Of_a_layer {

    private BatchNormLayer layer(int d, double eps, boolean cacheGraph) {
      return BatchNormLayer.builder(d)
          .gamma(gaussian(random, d))
          .beta(gaussian(random, d))
          .epsilon(eps)
          .build();
    }

    private double[][] features(int n, double mean, double spread) {
      return map(gaussian(random, n, 3), z -> mean + spread * z);
    }

    @ParameterizedTest
    @CsvSource({
      "0, 1e-5, 1e-5",
      "0, 1e-5, 1e-12",
      "0, 1e-3, 1e-5",
      "12, 5, 1e-5",
      "0, 1e6, 1e-5",
      "1e6, 1e6, 1e-5",
      "1e6, 1, 1e-5",
      "-1e6, 1e-3, 1e-10",
      "1e6, 1e-5, 1e-12",
      "1e8, 1, 1e-5",
    })
    void dx_dgamma_and_dbeta_are_right_to_1e_minus_7(double mean, double spread, double eps) {
      for (boolean cacheGraph : new boolean[] {true, false}) {
        for (int n : new int[] {3, 4, 31}) {
          BatchNormLayer layer = layer(3, eps, cacheGraph);
          for (int batch = 0; batch < 50; batch++) { // until the running averages are of that kind
            layer.forward(features(n, mean, spread));
          }
          Report report = GradientCheck.of(layer, features(n, mean, spread), 7);
          assertThat(report.passed()).as("%s", report).isTrue();
          assertThat(report.isVacuous()).as("%s", report).isFalse();
          assertThat(report.worst().relativeError()).as("%s", report).isLessThan(1e-7);
          assertThat(report.checked()).isEqualTo(2 * (3 * n + 3 + 3));
        }
      }
    }

    @Test
    void changes_neither_its_state_nor_its_graph_nor_x() {
      BatchNormLayer layer = layer(3, 1e-5, true);
      double[][] trained = features(4, 1, 2);
      double[][] dout = gaussian(random, 4, 3);
      layer.forward(trained);
      Snapshot before = Snapshot.of(layer);
      List<Object> graph = bits(layer.graph());
      List<Object> gradients = bits(layer.backward(dout));
      double[][] x = features(5, 3, 1);
      double[][] copy = copy(x);
      assertThat(GradientCheck.of(layer, x, 1).passed()).isTrue();
      assertThat(Snapshot.of(layer)).isEqualTo(before);
      assertThat(bits(layer.graph())).isEqualTo(graph);
      assertThat(bits(layer.backward(dout))).isEqualTo(gradients);
      assertThat(bits(x)).isEqualTo(bits(copy));
    }

    @Test
    void takes_the_running_averages_of_the_layer_for_inference() {
      BatchNormLayer layer = layer(3, 1e-5, true);
      layer.forward(features(9, 5, 3));
      Report worst = GradientCheck.options().tolerance(1e-30).of(layer, features(4, 0, 1), 1);
      assertThat(worst.checked()).isEqualTo(36);
      BatchNormLayer twin = layer.twin(layer.gamma(), layer.beta());
      assertThat(Snapshot.of(twin)).isEqualTo(Snapshot.of(layer));
      double[][] x = features(4, 0, 1);
      assertThat(bits(twin.infer(x))).isEqualTo(bits(layer.infer(x)));
    }

    @Test
    void takes_a_step_for_inference_that_suits_the_running_averages() {
      // out is about 1e3, rounded by 1e-13: of the features' own spread, 1e-5, the step is too
      // short
      BatchNormLayer fresh = layer(3, 1e-12, true);
      double[][] x = features(5, 1e3, 1e-5);
      Report report = GradientCheck.options().order(4).floor(1e-6).of(fresh, x, 7);
      assertThat(report.worst().relativeError()).as("%s", report).isLessThan(1e-7);

      // a running variance of 1e-10 stands for a spread of 1e-5; of 1e-10 it would be too short
      BatchNormLayer trained = BatchNormLayer.builder(3).epsilon(1e-14).smoothingFactor(1).build();
      trained.forward(features(9, 0, 1e-5));
      Report small = GradientCheck.of(trained, features(5, 0, 1e-5), 7);
      assertThat(small.worst().relativeError()).as("%s", small).isLessThan(1e-9);
    }

    @Test
    void holds_for_large_gamma_and_beta() {
      BatchNormLayer layer =
          BatchNormLayer.builder(2)
              .gamma(new double[] {1e6, 3})
              .beta(new double[] {5, -1e4})
              .build();
      Report report = GradientCheck.of(layer, input(random, 6, 2), 3);
      assertThat(report.passed()).as("%s", report).isTrue();
    }

    @Test
    void is_vacuous_if_gamma_is_zero() {
      BatchNormLayer layer = BatchNormLayer.builder(2).gamma(new double[2]).build();
      Report report = GradientCheck.of(layer, input(random, 6, 2), 3);
      assertThat(report.passed()).as("%s", report).isTrue();
      assertThat(report.isVacuous()).isTrue();
      assertThat(report.toString())
          .contains("vacuous: training dx: all gradients are about zero")
          .contains("vacuous: inference dx: all gradients are about zero");
    }

    @Test
    void with_two_rows_is_vacuous_in_training_only() {
      BatchNormLayer layer = BatchNormLayer.builder(1).epsilon(1e-14).build();
      Report report = GradientCheck.of(layer, new double[][] {{1}, {3}}, 3);
      assertThat(report.passed()).as("%s", report).isTrue();
      assertThat(report.toString())
          .contains("vacuous: training dx: all gradients are about zero")
          .doesNotContain("vacuous: inference");
    }

    @Test
    void needs_two_rows() {
      refuses(
          () -> GradientCheck.of(new BatchNormLayer(1), new double[1][1], 1),
          "x has 1 row, expected at least 2: the variance of one row is 0 whatever it holds; merge"
              + " it into another mini-batch, leave it out, or use infer");
    }
  }
}
