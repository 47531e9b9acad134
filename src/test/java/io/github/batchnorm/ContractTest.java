package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.assertSameBits;
import static io.github.batchnorm.TestData.copy;
import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestData.input;
import static io.github.batchnorm.TestData.with;
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
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
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
 * <p>What overflows is in {@link LimitsTest}, and what a refused call leaves behind in {@link
 * StateTest}.
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
      refuses(
          new double[0][D],
          "x has 0 rows, expected at least " + (method.name().startsWith("FORWARD") ? 2 : 1));
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
      refuses(new double[N][columns], "x[0] has " + columns + " values, expected 4");
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
      double[][] dout = new double[N][D];
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
          new double[1][D],
          "x has 1 row, expected at least 2: the variance of one row is 0 whatever it holds; merge"
              + " it into another mini-batch, leave it out, or use infer");
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
          new double[rows][columns],
          "dout has shape (" + rows + ", " + columns + "), expected (18, 4) as " + method.like);
    }

    @Test
    void must_have_rows() {
      refuses(new double[0][D], "dout has shape (0, ?), expected (18, 4) as " + method.like);
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
      double[][] output = new double[N][D];
      output[i] = null;
      assertThatNullPointerException()
          .isThrownBy(() -> method.call.on(layer, output))
          .withMessage(method.output + "[" + i + "] is null, expected a row of 4");
    }

    @ParameterizedTest
    @CsvSource({"17, 4", "19, 4", "1, 4"})
    void must_have_the_shape_of_the_input(int rows, int columns) {
      refuses(
          new double[rows][columns],
          "%s has shape (%d, %d), expected (18, 4) as %s"
              .formatted(method.output, rows, columns, method.like));
    }

    @Test
    void must_have_rows() {
      refuses(
          new double[0][D],
          method.output + " has shape (0, ?), expected (18, 4) as " + method.like);
    }

    @ParameterizedTest
    @CsvSource({"0, 3, 3 values", "8, 1, 1 value", "17, 5, 5 values"})
    void must_not_be_ragged(int i, int length, String has) {
      double[][] output = new double[N][D];
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
      assertSameBits(method.call.on(layer, X), method.call.on(twin, X));
    }
  }

  /** Odd shapes: what takes four values or four rows at a time must not forget the rest. */
  @Nested
  @DisplayName("A value that is not finite (seed 18)")
  @ParameterizedClass(name = "in {0} x {1}")
  @CsvSource({
    "5, 1", // one tile
    "19, 7", // one tile
    "40, 2001", // 3 strips of 667 columns
    "2003, 41", // 31 tiles of 64 rows and one of 19
    "130, 1101", // 2 strips of 551 and 550 columns, in tiles of 59, 59 and 12 rows
  })
  class A_value_that_is_not_finite {
    @Parameter(0)
    int n;

    @Parameter(1)
    int d;

    private double[][] x;
    private double[][] dout;
    private BatchNormLayer trained;
    private BatchNormLayer other;

    @BeforeEach
    void train() {
      Random random = new Random(18);
      x = input(random, n, d);
      dout = gaussian(random, n, d);
      trained = new BatchNormLayer(d);
      trained.forward(x);
      other = new BatchNormLayer(d);
    }

    @Test
    void is_found_in_the_first_and_last_columns_of_each_strip() {
      double[] values = notFiniteValues().toArray();
      for (Grid.Strip strip : new Grid(n, d).strips) {
        for (int j = strip.from(); j < strip.to(); j++) {
          if (j < strip.from() + 5 || j >= strip.to() - 5) {
            assertIsFound(n / 2, j, values[j % values.length]);
          }
        }
      }
    }

    @Test
    void is_found_in_the_first_row_and_in_each_of_the_last() {
      assertIsFound(0, d - 1, Double.NaN);
      for (int i = n - 5; i < n; i++) {
        assertIsFound(i, 0, Double.NaN);
        assertIsFound(i, d - 1, Double.NaN);
      }
    }

    private void assertIsFound(int i, int j, double value) {
      double[][] badX = with(x, i, j, value);
      double[][] badDout = with(dout, i, j, value);
      String rule = "[" + i + "][" + j + "] is " + value + ", expected a finite value";
      refuses("x" + rule, () -> other.forward(badX));
      refuses("dout" + rule, () -> trained.backward(badDout));
      refuses("x" + rule, () -> trained.infer(badX));
      refuses("x" + rule, () -> trained.inferBackward(badX, dout));
      refuses("dout" + rule, () -> trained.inferBackward(x, badDout));
    }

    private static void refuses(String message, ThrowingCallable call) {
      assertThatIllegalArgumentException().isThrownBy(call).withMessage(message);
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
          0x0.fffffffffffffp-1022, // the next double below MIN_NORMAL
          1e-310,
          Double.MIN_VALUE,
          0,
          -0.0,
          -Double.MIN_VALUE,
          -1,
          1.1e290,
          Double.NaN,
          Double.POSITIVE_INFINITY,
          Double.NEGATIVE_INFINITY
        })
    void epsilon_must_be_a_normal_number_that_overflows_no_variance(double epsilon) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> builder.epsilon(epsilon))
          .withMessage("epsilon (" + epsilon + ") must be in [2.2250738585072014E-308, 1.0E290]");
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.MIN_NORMAL, 1e-12, 1, 1e290})
    void epsilon_may_be_any_other(double epsilon) {
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
          .isThrownBy(() -> fresh.backward(DOUT, new double[N][D]))
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
      assertThat(fresh.infer(row, new double[1][D])).hasDimensions(1, D);
      assertThat(fresh.inferBackward(row, new double[][] {DOUT[0]}).dx()).hasDimensions(1, D);
    }
  }
}
