package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.bits;
import static io.github.batchnorm.TestData.copy;
import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestData.input;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every refusal with its exception and its whole message, and what comes close but is accepted.
 *
 * <p>What a refused call leaves behind is in {@link StateTest}.
 */
@DisplayName("Contract (18 x 4, seed 17)")
class ContractTest {
  // 18 rows, so that the "x[17][3] is NaN" is the last value
  private static final int N = 18;
  private static final int D = 4;
  private static final Random RANDOM = new Random(17);
  private static final double[][] X = input(RANDOM, N, D);
  private static final double[][] DOUT = gaussian(RANDOM, N, D);

  private final BatchNormLayer layer = new BatchNormLayer(D);
  private final double[][] x = copy(X);
  private final double[][] dout = copy(DOUT);

  @BeforeEach
  void train() {
    layer.forward(X);
  }

  /** The calls that take x. All of them look at x first, then at the other argument. */
  enum TakesX {
    FORWARD((layer, x) -> layer.forward(x)),
    FORWARD_INTO((layer, x) -> layer.forward(x, new double[N][D])),
    INFER((layer, x) -> layer.infer(x)),
    INFER_INTO((layer, x) -> layer.infer(x, new double[N][D])),
    INFER_BACKWARD((layer, x) -> layer.inferBackward(x, DOUT).dx());

    final Call call;

    TakesX(Call call) {
      this.call = call;
    }
  }

  /** The calls that take dout, and what they say its shape must be like. */
  enum TakesDout {
    BACKWARD("in the last forward", (layer, dout) -> layer.backward(dout).dx()),
    BACKWARD_INTO(
        "in the last forward", (layer, dout) -> layer.backward(dout, new double[N][D]).dx()),
    INFER_BACKWARD("x", (layer, dout) -> layer.inferBackward(X, dout).dx());

    final String like;
    final Call call;

    TakesDout(String like, Call call) {
      this.like = like;
      this.call = call;
    }
  }

  /** The calls that write into an array of the caller. */
  enum Writes {
    FORWARD("out", "x", (layer, out) -> layer.forward(X, out)),
    INFER("out", "x", (layer, out) -> layer.infer(X, out)),
    BACKWARD("dx", "dout", (layer, dx) -> layer.backward(DOUT, dx).dx());

    final String output;
    final String like;
    final Call call;

    Writes(String output, String like, Call call) {
      this.output = output;
      this.like = like;
      this.call = call;
    }
  }

  interface Call {
    double[][] on(BatchNormLayer layer, double[][] matrix);
  }

  /** Each value that is not finite, at the first, a middle and the last row and column. */
  static Stream<Arguments> notFinite() {
    return IntStream.of(0, 8, 17)
        .boxed()
        .flatMap(
            i ->
                IntStream.of(0, 2, 3)
                    .boxed()
                    .flatMap(j -> notFiniteValues().mapToObj(v -> Arguments.of(i, j, v))));
  }

  static DoubleStream notFiniteValues() {
    return DoubleStream.of(Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY);
  }

  private static void setColumn(double[][] matrix, int j, double even, double odd) {
    for (int i = 0; i < matrix.length; i++) {
      matrix[i][j] = i % 2 == 0 ? even : odd;
    }
  }

  private static double[][] rows(int n, int d) {
    return new double[n][d];
  }

  private static void assertFinite(double[][] matrix) {
    assertThat(matrix).hasDimensions(N, D);
    assertThat(Arrays.stream(matrix).flatMapToDouble(Arrays::stream)).allMatch(Double::isFinite);
  }

  @Nested
  @ParameterizedClass(name = "{0}")
  @EnumSource(TakesX.class)
  class X_of {
    @Parameter TakesX method;

    private void refuses(double[][] x, String message) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> method.call.on(layer, x))
          .withMessage(message);
    }

    @Test
    void must_not_be_null() {
      assertThatNullPointerException()
          .isThrownBy(() -> method.call.on(layer, null))
          .withMessage("x is null");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 8, 17})
    void must_not_have_a_null_row(int i) {
      x[i] = null;
      assertThatNullPointerException()
          .isThrownBy(() -> method.call.on(layer, x))
          .withMessage("x[" + i + "] is null, expected a row of 4");
    }

    @Test
    void must_have_a_row() {
      refuses(rows(0, D), "x has 0 rows, expected at least 1");
    }

    @ParameterizedTest
    @CsvSource({"0, 3, 3 values", "8, 1, 1 value", "8, 0, 0 values", "17, 5, 5 values"})
    void must_not_be_ragged(int i, int length, String has) {
      x[i] = new double[length];
      refuses(x, "x[" + i + "] has " + has + ", expected 4");
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 5})
    void must_have_D_columns(int columns) {
      refuses(rows(N, columns), "x[0] has " + columns + " values, expected 4");
    }

    @ParameterizedTest(name = "x[{0}][{1}] = {2}")
    @MethodSource("io.github.batchnorm.ContractTest#notFinite")
    void must_be_finite(int i, int j, double value) {
      x[i][j] = value;
      refuses(x, "x[" + i + "][" + j + "] is " + value + ", expected a finite value");
    }

    @ParameterizedTest
    @MethodSource("io.github.batchnorm.ContractTest#notFiniteValues")
    void must_not_be_a_column_of_values_that_are_not_finite(double value) {
      setColumn(x, 2, value, value);
      refuses(x, "x[0][2] is " + value + ", expected a finite value");
    }

    @Test
    void must_not_hold_infinities_of_both_signs() {
      x[8][0] = Double.NEGATIVE_INFINITY;
      x[8][2] = Double.POSITIVE_INFINITY;
      x[17][0] = Double.POSITIVE_INFINITY;
      refuses(x, "x[8][0] is -Infinity, expected a finite value");
    }

    @Test
    void is_blamed_for_its_NaN_and_not_for_an_overflow_beside_it() {
      setColumn(x, 0, Double.MAX_VALUE, -Double.MAX_VALUE);
      x[8][2] = Double.NaN;
      refuses(x, "x[8][2] is NaN, expected a finite value");
    }

    @Test
    void may_be_so_large_that_its_variance_just_does_not_overflow() {
      // the variance is 1e150² = 1e300
      setColumn(x, 2, 1e150, -1e150);
      double[][] out = method.call.on(layer, x);
      assertFinite(out);
    }

    @Test
    void may_be_so_large_that_the_sum_of_its_values_overflows() {
      for (double[] row : x) {
        Arrays.fill(row, 1e308);
      }
      double[][] dout = rows(N, D);
      double[][] out =
          method == TakesX.INFER_BACKWARD
              ? layer.inferBackward(x, dout).dx()
              : method.call.on(layer, x);
      assertFinite(out);
    }
  }

  @Nested
  @ParameterizedClass(name = "{0}")
  @EnumSource(names = {"FORWARD", "FORWARD_INTO"})
  class Training_by {
    @Parameter TakesX method;

    private void refuses(double[][] x, String message) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> method.call.on(layer, x))
          .withMessage(message);
    }

    @Test
    void refuses_one_row_and_says_what_to_do_instead() {
      refuses(
          rows(1, D),
          "x has 1 row, expected at least 2: the variance of one row is 0 whatever it holds; merge"
              + " it into another mini-batch, leave it out, or use infer");
    }

    @Test
    void refuses_finite_values_whose_squares_overflow() {
      // (1e200)² > 1.8e308
      setColumn(x, 2, 1e200, -1e200);
      refuses(x, "var of column 2 (Infinity) must be finite: it overflows");
    }

    @Test
    void refuses_finite_values_whose_squares_overflow_only_when_summed() {
      // (1e154)² = 1e308, but 18e308 > 1.8e308
      setColumn(x, 2, 1e154, -1e154);
      refuses(x, "var of column 2 (Infinity) must be finite: it overflows");
    }

    @Test
    void refuses_finite_values_whose_difference_overflows() {
      // the two largest doubles are 2 * 1.8e308 apart
      setColumn(x, 3, Double.MAX_VALUE, -Double.MAX_VALUE);
      refuses(x, "var of column 3 (NaN) must be finite: it overflows");
    }

    @Test
    void normalizes_a_column_of_1e150_and_minus_1e150_to_1_and_minus_1() {
      setColumn(x, 2, 1e150, -1e150);
      double[][] out = method.call.on(layer, x);
      for (int i = 0; i < N; i++) {
        assertThat(out[i][2]).isCloseTo(i % 2 == 0 ? 1 : -1, within(1e-15));
      }
    }

    @Test
    void accepts_a_constant_column_of_the_largest_double() {
      setColumn(x, 2, Double.MAX_VALUE, Double.MAX_VALUE);
      layer.beta()[2] = 0.75;
      assertThat(TestData.column(method.call.on(layer, x), 2)).containsOnly(0.75);
      assertThat(layer.runningMean()[2]).isFinite();
    }
  }

  @Nested
  @ParameterizedClass(name = "{0}")
  @EnumSource(TakesDout.class)
  class Dout_of {
    @Parameter TakesDout method;

    private void refuses(double[][] dout, String message) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> method.call.on(layer, dout))
          .withMessage(message);
    }

    @Test
    void must_not_be_null() {
      assertThatNullPointerException()
          .isThrownBy(() -> method.call.on(layer, null))
          .withMessage("dout is null");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 8, 17})
    void must_not_have_a_null_row(int i) {
      dout[i] = null;
      assertThatNullPointerException()
          .isThrownBy(() -> method.call.on(layer, dout))
          .withMessage("dout[" + i + "] is null, expected a row of 4");
    }

    @ParameterizedTest
    @CsvSource({"17, 4", "19, 4", "17, 3", "1, 4"})
    void must_have_the_shape_of_the_batch(int rows, int columns) {
      refuses(
          rows(rows, columns),
          "dout has shape (" + rows + ", " + columns + "), expected (18, 4) as " + method.like);
    }

    @Test
    void must_have_rows() {
      refuses(rows(0, D), "dout has shape (0, ?), expected (18, 4) as " + method.like);
    }

    @Test
    void is_refused_by_shape_if_the_first_of_too_few_rows_is_null() {
      refuses(new double[3][], "dout has shape (3, ?), expected (18, 4) as " + method.like);
    }

    @ParameterizedTest
    @CsvSource({"0, 3, 3 values", "8, 1, 1 value", "17, 5, 5 values"})
    void must_not_be_ragged(int i, int length, String has) {
      dout[i] = new double[length];
      refuses(dout, "dout[" + i + "] has " + has + ", expected 4");
    }

    @ParameterizedTest(name = "dout[{0}][{1}] = {2}")
    @MethodSource("io.github.batchnorm.ContractTest#notFinite")
    void must_be_finite(int i, int j, double value) {
      dout[i][j] = value;
      refuses(dout, "dout[" + i + "][" + j + "] is " + value + ", expected a finite value");
    }

    @Test
    void must_not_hold_infinities_of_both_signs() {
      dout[8][2] = Double.NEGATIVE_INFINITY;
      dout[17][2] = Double.POSITIVE_INFINITY;
      refuses(dout, "dout[8][2] is -Infinity, expected a finite value");
    }

    @ParameterizedTest
    @MethodSource("io.github.batchnorm.ContractTest#notFiniteValues")
    void must_be_finite_also_where_gamma_is_0(double value) {
      layer.gamma()[2] = 0;
      layer.forward(X);
      dout[8][2] = value;
      refuses(dout, "dout[8][2] is " + value + ", expected a finite value");
    }

    @ParameterizedTest
    @MethodSource("io.github.batchnorm.ContractTest#notFiniteValues")
    void must_be_finite_also_where_xhat_is_0(double value) {
      setColumn(x, 2, 0, 0);
      layer.forward(x);
      dout[8][2] = value;
      refuses(dout, "dout[8][2] is " + value + ", expected a finite value");
    }

    @Test
    void may_be_so_large_that_dgamma_just_does_not_overflow() {
      // Σ |dout| = 18 * 1e306 < 1.8e308, and |xhat| <= √17
      setColumn(dout, 2, 1e306, -1e306);
      assertFinite(method.call.on(layer, dout));
    }
  }

  @Nested
  class Overflow_of_a_gradient {

    private void backwardRefuses(String message) {
      layer.forward(x);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.backward(dout))
          .withMessage(message);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.backward(dout, rows(N, D)))
          .withMessage(message);
    }

    private void inferBackwardRefuses(String message) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new BatchNormLayer(D).inferBackward(x, dout))
          .withMessage(message);
    }

    @Test
    void dgamma_in_training() {
      // xmu = ±1, Σ dout * xmu = 18 * 1e308
      setColumn(x, 2, 1, -1);
      setColumn(dout, 2, 1e308, -1e308);
      backwardRefuses("dgamma of column 2 (Infinity) must be finite: it overflows");
    }

    @Test
    void the_branch_through_the_variance_in_training() {
      // Σ dout * xmu = 18 * 1e200 is finite, times gamma it is not
      setColumn(x, 2, 1, -1);
      setColumn(dout, 2, 1e200, -1e200);
      layer.gamma()[2] = 1e200;
      backwardRefuses("dsq of column 2 (-Infinity) must be finite: it overflows");
    }

    @Test
    void the_branch_through_the_mean_in_training() {
      // xmu = 0 and Σ dout = 18 * 1e300 is finite, times gamma it is not
      setColumn(x, 2, 5, 5);
      setColumn(dout, 2, 1e300, 1e300);
      layer.gamma()[2] = 1e100;
      backwardRefuses("dx2 of column 2 (-Infinity) must be finite: it overflows");
    }

    @Test
    void dbeta_in_training() {
      // Σ dout = 18 * 1e308
      setColumn(x, 2, 5, 5);
      setColumn(dout, 2, 1e308, 1e308);
      layer.forward(x);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.backward(dout))
          .withMessageMatching(
              "d(beta|gamma) of column 2 [(](Infinity|NaN)[)] must be finite: it overflows");
    }

    @Test
    void dgamma_in_inference() {
      // 1e200 * 1e200
      x[8][2] = 1e200;
      dout[8][2] = 1e200;
      inferBackwardRefuses("dgamma of column 2 (Infinity) must be finite: it overflows");
    }

    @Test
    void dbeta_in_inference() {
      // xhat = 0, as the mean is 0 before training; Σ dout = 18 * 1e308
      setColumn(x, 2, 0, 0);
      setColumn(dout, 2, 1e308, 1e308);
      inferBackwardRefuses("dbeta of column 2 (Infinity) must be finite: it overflows");
    }
  }

  @Nested
  @ParameterizedClass(name = "{0}")
  @EnumSource(Writes.class)
  class Output_of {
    @Parameter Writes method;

    private void refuses(double[][] output, String message) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> method.call.on(layer, output))
          .withMessage(message);
    }

    @Test
    void must_not_be_null() {
      assertThatNullPointerException()
          .isThrownBy(() -> method.call.on(layer, null))
          .withMessage(method.output + " is null");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 8, 17})
    void must_not_have_a_null_row(int i) {
      double[][] output = rows(N, D);
      output[i] = null;
      assertThatNullPointerException()
          .isThrownBy(() -> method.call.on(layer, output))
          .withMessage(method.output + "[" + i + "] is null, expected a row of 4");
    }

    @ParameterizedTest
    @CsvSource({"17, 4", "19, 4", "1, 4"})
    void must_have_the_shape_of_the_input(int rows, int columns) {
      refuses(
          rows(rows, columns),
          "%s has shape (%d, %d), expected (18, 4) as %s"
              .formatted(method.output, rows, columns, method.like));
    }

    @Test
    void must_have_rows() {
      refuses(rows(0, D), method.output + " has shape (0, ?), expected (18, 4) as " + method.like);
    }

    @ParameterizedTest
    @CsvSource({"0, 3, 3 values", "8, 1, 1 value", "17, 5, 5 values"})
    void must_not_be_ragged(int i, int length, String has) {
      double[][] output = rows(N, D);
      output[i] = new double[length];
      refuses(output, method.output + "[" + i + "] has " + has + ", expected 4");
    }
  }

  @Nested
  @ParameterizedClass(name = "{0}")
  @EnumSource(TakesX.class)
  class Gamma_and_beta_in {
    @Parameter TakesX method;

    private void refuses(String message) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> method.call.on(layer, X))
          .withMessage(message);
    }

    @ParameterizedTest
    @MethodSource("io.github.batchnorm.ContractTest#notFiniteValues")
    void must_still_be_finite_after_an_optimizer_changed_gamma(double value) {
      layer.gamma()[3] = value;
      refuses("gamma[3] is " + value + ", expected a finite value");
    }

    @ParameterizedTest
    @MethodSource("io.github.batchnorm.ContractTest#notFiniteValues")
    void must_still_be_finite_after_an_optimizer_changed_beta(double value) {
      layer.beta()[0] = value;
      refuses("beta[0] is " + value + ", expected a finite value");
    }

    @Test
    void are_accepted_again_once_they_are_mended() {
      BatchNormLayer twin = new BatchNormLayer(D);
      twin.forward(X);
      layer.gamma()[3] = Double.NaN;
      refuses("gamma[3] is NaN, expected a finite value");
      layer.gamma()[3] = 1;
      assertThat(bits(method.call.on(layer, X))).isEqualTo(bits(method.call.on(twin, X)));
    }
  }

  /** Large enough to be cut up, for threads and for the caches: no part may miss a value. */
  @Nested
  @DisplayName("Large matrices (seed 18)")
  class Large_matrices {

    @ParameterizedTest(name = "[{2}][{3}] of {0} x {1}")
    @CsvSource({
      // strips of columns
      "60, 1500, 0, 0",
      "60, 1500, 30, 1499",
      "60, 1500, 59, 500",
      // blocks of rows
      "3001, 40, 0, 39",
      "3001, 40, 1500, 20",
      "3001, 40, 3000, 0",
      // both
      "1027, 2500, 512, 2499",
      "1027, 2500, 1026, 0",
    })
    void are_searched_to_the_last_value(int n, int d, int i, int j) {
      Random random = new Random(18);
      double[][] x = input(random, n, d);
      double[][] dout = gaussian(random, n, d);
      BatchNormLayer layer = new BatchNormLayer(d);
      layer.forward(x);

      dout[i][j] = Double.NaN;
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.backward(dout))
          .withMessage("dout[" + i + "][" + j + "] is NaN, expected a finite value");
      x[i][j] = Double.NEGATIVE_INFINITY;
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.infer(x))
          .withMessage("x[" + i + "][" + j + "] is -Infinity, expected a finite value");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.forward(x))
          .withMessage("x[" + i + "][" + j + "] is -Infinity, expected a finite value");
    }
  }

  @Nested
  class Settings {
    private final BatchNormLayer.Builder builder = BatchNormLayer.builder(2);

    @ParameterizedTest
    @ValueSource(ints = {0, -1, Integer.MIN_VALUE})
    void features_must_be_at_least_1(int features) {
      String message = "features (" + features + ") must be >= 1";
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new BatchNormLayer(features))
          .withMessage(message);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> BatchNormLayer.builder(features))
          .withMessage(message);
    }

    @Test
    void one_feature_is_enough() {
      assertThat(new BatchNormLayer(1).features()).isOne();
    }

    @ParameterizedTest
    @ValueSource(
        doubles = {
          0,
          -0.0,
          -1,
          -Double.MIN_VALUE,
          Double.NaN,
          Double.POSITIVE_INFINITY,
          Double.NEGATIVE_INFINITY
        })
    void epsilon_must_be_finite_and_above_0(double epsilon) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> builder.epsilon(epsilon))
          .withMessage("epsilon (" + epsilon + ") must be finite and > 0");
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.MIN_VALUE, 1e-12, 1, Double.MAX_VALUE})
    void epsilon_may_be_any_finite_value_above_0(double epsilon) {
      assertThat(builder.epsilon(epsilon).build().epsilon()).isEqualTo(epsilon);
    }

    @ParameterizedTest
    @ValueSource(
        doubles = {
          0,
          -0.0,
          -0.1,
          1.0000000000000002, // the next double after 1
          2,
          Double.NaN,
          Double.POSITIVE_INFINITY,
          Double.NEGATIVE_INFINITY
        })
    void smoothing_factor_must_be_above_0_and_at_most_1(double a) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> builder.smoothingFactor(a))
          .withMessage("smoothingFactor (" + a + ") must be in (0, 1]");
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.MIN_VALUE, 0.5, 1})
    void smoothing_factor_may_be_anything_in_between(double a) {
      BatchNormLayer built = builder.smoothingFactor(a).build();
      // the mean of both columns is 1, so the running mean is (1 - a) * 0 + a * 1
      built.forward(new double[][] {{0, 2}, {2, 0}});
      assertThat(built.runningMean()).containsExactly(a, a);
    }

    @Test
    void gamma_and_beta_must_not_be_null() {
      assertThatNullPointerException()
          .isThrownBy(() -> builder.gamma(null))
          .withMessage("gamma is null");
      assertThatNullPointerException()
          .isThrownBy(() -> builder.beta(null))
          .withMessage("beta is null");
    }

    @ParameterizedTest
    @CsvSource({"0, 0 values", "1, 1 value", "3, 3 values"})
    void gamma_and_beta_must_have_D_values(int length, String has) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> builder.gamma(new double[length]))
          .withMessage("gamma has " + has + ", expected 2");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> builder.beta(new double[length]))
          .withMessage("beta has " + has + ", expected 2");
    }

    @ParameterizedTest
    @MethodSource("io.github.batchnorm.ContractTest#notFiniteValues")
    void gamma_and_beta_must_be_finite(double value) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> builder.gamma(new double[] {1, value}))
          .withMessage("gamma[1] is " + value + ", expected a finite value");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> builder.beta(new double[] {value, 0}))
          .withMessage("beta[0] is " + value + ", expected a finite value");
    }

    @Test
    void that_were_refused_leave_the_builder_as_it_was() {
      builder.gamma(new double[] {2, -4}).beta(new double[] {5, 6}).epsilon(2).smoothingFactor(0.5);
      Stream.<Runnable>of(
              () -> builder.gamma(new double[] {7, Double.NaN}),
              () -> builder.beta(new double[] {7}),
              () -> builder.epsilon(-1),
              () -> builder.smoothingFactor(2))
          .forEach(refused -> assertThatIllegalArgumentException().isThrownBy(refused::run));
      BatchNormLayer built = builder.build();
      assertThat(built.gamma()).containsExactly(2, -4);
      assertThat(built.beta()).containsExactly(5, 6);
      assertThat(built.epsilon()).isEqualTo(2);
      // the mean of both columns is 1, so the running mean is 0.5 * 0 + 0.5 * 1
      built.forward(new double[][] {{0, 2}, {2, 0}});
      assertThat(built.runningMean()).containsExactly(0.5, 0.5);
    }
  }

  @Nested
  class Before_the_first_forward {
    private final BatchNormLayer fresh = new BatchNormLayer(D);

    @Test
    void backward_is_refused() {
      String message =
          "backward needs the graph of a forward: none was made yet, or the last one failed";
      assertThatIllegalStateException().isThrownBy(() -> fresh.backward(DOUT)).withMessage(message);
      assertThatIllegalStateException()
          .isThrownBy(() -> fresh.backward(DOUT, rows(N, D)))
          .withMessage(message);
    }

    @Test
    void backward_is_refused_for_its_order_before_its_arguments_are_looked_at() {
      assertThatIllegalStateException().isThrownBy(() -> fresh.backward(null));
      assertThatIllegalStateException().isThrownBy(() -> fresh.backward(null, null));
    }

    @Test
    void graph_is_refused() {
      assertThatIllegalStateException()
          .isThrownBy(fresh::graph)
          .withMessage(
              "graph needs the graph of a forward: none was made yet, or the last one failed");
    }

    @Test
    void infer_does_not_make_a_graph() {
      fresh.infer(X);
      fresh.inferBackward(X, DOUT);
      assertThatIllegalStateException().isThrownBy(() -> fresh.backward(DOUT));
    }

    @Test
    void one_row_may_be_inferred() {
      double[][] row = {X[0]};
      assertThat(fresh.infer(row)).hasDimensions(1, D);
      assertThat(fresh.infer(row, rows(1, D))).hasDimensions(1, D);
      assertThat(fresh.inferBackward(row, new double[][] {DOUT[0]}).dx()).hasDimensions(1, D);
    }
  }
}
