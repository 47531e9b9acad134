package io.github.batchnorm;

import static io.github.batchnorm.ExactColumn.distance;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The digits that the class comment of {@link BatchNormLayer} promises, on columns where plain sums
 * lose them, against {@link ExactColumn}.
 */
@DisplayName("Precision (seed 43)")
class PrecisionTest {
  /** 36 roundings: no column here pushes every rounding the same way. */
  private static final double TOLERANCE = 4e-15;

  private static final double EPSILON = 1e-5;

  /** Many times this constant makes a plain sum round in the same direction again and again. */
  private static final double C = 0.5335945482950093;

  /** With this one the squares do: found by climbing towards the largest error of var. */
  private static final double SQUARES_ROUND_ALIKE = 1.0055273905551558;

  private static final Random RANDOM = new Random();

  private static double g() {
    return RANDOM.nextGaussian();
  }

  /** Value i of n. */
  private interface Values {
    double at(int i, int n);
  }

  enum X {
    GAUSSIAN((i, n) -> g()),
    LARGE_MEAN((i, n) -> 1e9 + 1e-2 * g()),
    OUTLIER_FIRST((i, n) -> i == 0 ? 0 : C),
    OUTLIER_IN_THE_MIDDLE((i, n) -> i == n / 2 ? 0 : C),
    OUTLIER_LAST((i, n) -> i == n - 1 ? 0 : C),
    OUTLIERS_FIRST_AND_LAST((i, n) -> i == 0 || i == n - 1 ? 0 : C),
    ZERO_FIRST_AND_LAST_OF_1000((i, n) -> i == 0 || i == n - 1 ? 0 : 1000 + g()),
    FAR_OUTLIER_FIRST((i, n) -> i == 0 ? 1e12 : g()),
    FAR_OUTLIER_IN_THE_MIDDLE((i, n) -> i == n / 2 ? 1e12 : g()),
    FAR_OUTLIER_LAST((i, n) -> i == n - 1 ? 1e12 : g()),
    RELU((i, n) -> Math.max(0, g())),
    BINARY((i, n) -> RANDOM.nextBoolean() ? C : 0.1),
    SPARSE((i, n) -> RANDOM.nextInt(1000) == 0 ? RANDOM.nextDouble() : 0),
    IMAGE_BORDER((i, n) -> i % 28 < 4 || i % 28 >= 24 ? 0 : RANDOM.nextInt(256) / 255.0),
    EVERY_FOURTH((i, n) -> i % 4 == 0 ? C : 0),
    /** The quarter of each block from which the mean is guessed holds all that is not 0. */
    HEAD_OF_A_BLOCK((i, n) -> i % 64 < 16 ? C : 0),
    FIRST_OF_A_BLOCK((i, n) -> i % 64 == 0 ? C : 0.1),
    ONE_OF_646((i, n) -> i % 646 == 576 ? 0 : SQUARES_ROUND_ALIKE),
    RAMP_UP((i, n) -> 0.1 * i),
    RAMP_DOWN((i, n) -> -0.1 * i),
    RAMP_BESIDE_1E6((i, n) -> 1e6 + 0.1 * i),
    RAMP_BESIDE_1E12((i, n) -> 1e12 + 1e-3 * i),
    HEAVY_TAILS((i, n) -> Math.tan(Math.PI * (RANDOM.nextDouble() - 0.5)));

    final Values values;

    X(Values values) {
      this.values = values;
    }

    double[] of(int n) {
      RANDOM.setSeed(43); // the same column whichever tests run; dout goes on from here
      return IntStream.range(0, n).mapToDouble(i -> values.at(i, n)).toArray();
    }
  }

  /** A dout for a column. */
  enum Dout {
    GAUSSIAN(x -> g()),
    CONSTANT(x -> 0.7),
    X(x -> x);

    final DoubleUnaryOperator ofX;

    Dout(DoubleUnaryOperator ofX) {
      this.ofX = ofX;
    }

    double[] of(double[] x) {
      return Arrays.stream(x).map(ofX).toArray();
    }
  }

  private static void check(double[] x, double[] dout) {
    Deviations d = new Deviations(x, dout, EPSILON);
    d.areWithinTheBounds();
    d.scales.forEach((bound, scale) -> d.isWithin(TOLERANCE, bound, scale));
  }

  /** The simpler scales, without the terms for the error of the mean. */
  private static void checkOrdinary(double[] x, double[] dout, double tolerance) {
    Deviations d = new Deviations(x, dout, EPSILON);
    d.areWithinTheBounds();
    d.scales.forEach((bound, scale) -> d.isWithin(tolerance, bound, scale));
    d.isWithin(tolerance, Bound.DGAMMA, d.sumDoutXhat);
    d.isWithin(tolerance, Bound.DX, d.largestDxhatIvar);
  }

  /** Before and behind the usual activations. */
  @ParameterizedTest(name = "{0} rows")
  @ValueSource(ints = {8, 32, 60, 128, 1000})
  void columns_of_a_network_agree_to_15_digits_of_their_largest_value(int n) {
    RANDOM.setSeed(43);
    for (int column = 0; column < 20; column++) {
      double mean = 3 * g();
      double[] normal = IntStream.range(0, n).mapToDouble(i -> mean + g()).toArray();
      double[] dout = Arrays.stream(normal).map(value -> g()).toArray();
      double[] relu = Arrays.stream(normal).map(value -> Math.max(0, value - mean)).toArray();
      double[] sigmoid = Arrays.stream(normal).map(v -> 1 / (1 + Math.exp(-v))).toArray();
      checkOrdinary(normal, dout, 1e-15);
      checkOrdinary(relu, dout, 1e-15);
      checkOrdinary(sigmoid, dout, 1e-15);
    }
  }

  @ParameterizedTest(name = "of {0}")
  @EnumSource(X.class)
  void columns_of_3_to_200000_rows_keep_their_digits(X x) {
    for (int n : new int[] {3, 100, 646, 1000, 32_768}) {
      for (Dout dout : Dout.values()) {
        double[] column = x.of(n);
        checkOrdinary(column, dout.of(column), TOLERANCE);
      }
    }
    double[] column = x.of(200_000);
    Dout[] douts = Dout.values();
    checkOrdinary(column, douts[x.ordinal() % douts.length].of(column), TOLERANCE);
  }

  /** xhat reaches 200 here, and dx is 200 times as large as dout: its rounding is, too. */
  @Test
  void a_dout_that_follows_the_sign_of_xmu_is_within_the_formula_with_all_terms_absolute() {
    double[] column = X.ZERO_FIRST_AND_LAST_OF_1000.of(200_000);
    check(column, Arrays.stream(column).map(v -> v > 1000 ? C : -0.3).toArray());
  }

  /** Σ |dout * xhat| is nearly 0 then, and what rounding leaves of the mean shows. */
  @ParameterizedTest(name = "of {0} in {1} rows")
  @CsvSource({"GAUSSIAN, 1000", "RELU, 1000", "RAMP_BESIDE_1E6, 32768", "GAUSSIAN, 200000"})
  void a_dout_in_the_row_nearest_to_the_mean_is_within_the_scale_with_the_mean_of_xhat(X x, int n) {
    double[] column = x.of(n);
    double mean = Arrays.stream(column).average().orElseThrow();
    double[] dout = new double[n];
    int nearest = 0;
    for (int i = 0; i < n; i++) {
      if (Math.abs(column[i] - mean) < Math.abs(column[nearest] - mean)) {
        nearest = i;
      }
    }
    dout[nearest] = 1;
    check(column, dout);
  }

  /**
   * The error of the mean puts dx of a far row off by x̂ * Σ dout / N times itself: here by 1.4e-14
   * of the formula of dx with its terms absolute, which has Σ |dout * x̂| in this place, nearly 0.
   */
  @Test
  void a_far_row_where_dout_is_not_0_near_the_mean_is_within_the_scale_with_dbeta() {
    int n = 200_000;
    double c = 0.6;
    double[] x = new double[n];
    double[] dout = new double[n];
    for (int i = 0; i < n; i++) {
      int row = i % 64; // the quarter from which the mean is guessed holds only c
      x[i] = row < 16 ? c : row < 40 ? 0 : 0.4 * c; // the mean is 0.4 c
      dout[i] = row < 40 ? 0 : 1;
    }
    x[n - 1] = 50 * c;
    x[n - 2] = 0.8 * c - x[n - 1];
    dout[n - 1] = 0;
    dout[n - 2] = 0;
    check(x, dout);
  }

  @ParameterizedTest(name = "{0} rows")
  @ValueSource(ints = {2, 5, 64, 65, 32_768, 200_000})
  void a_constant_column_gives_exactly_zero(int n) {
    for (double constant : new double[] {C, 1e9 + 0.1, -1e300, Double.MIN_VALUE}) {
      BatchNormLayer layer = BatchNormLayer.builder(1).beta(new double[] {-0.3}).build();
      double[][] out = layer.forward(TestData.filled(n, 1, constant));
      assertThat(layer.graph().mu()[0]).isEqualTo(constant);
      assertThat(TestData.column(layer.graph().xhat(), 0)).containsOnly(0);
      assertThat(TestData.column(out, 0)).containsOnly(-0.3);
    }
  }

  /** x is the mean in half of the rows, and dout is 0 in nearly all. */
  @ParameterizedTest(name = "{0} rows")
  @ValueSource(ints = {4, 64, 1000})
  void a_product_that_is_exactly_0_costs_no_digits(int n) {
    double[] x = new double[n];
    double[] dout = new double[n];
    for (int i = 0; i < n; i += 2) {
      x[i] = i % 4 == 0 ? C : -C;
    }
    dout[0] = 0.7;
    dout[1] = -0.3;
    check(x, dout);
  }

  private static Deviations alternating(double scale) {
    RANDOM.setSeed(43);
    double[] x = new double[1000];
    Arrays.setAll(x, i -> (i % 2 == 0 ? scale : -scale) * (2 + RANDOM.nextDouble()));
    return new Deviations(x, x, Double.MIN_NORMAL);
  }

  @Test
  void products_of_1e_290_keep_their_digits_and_smaller_ones_do_not() {
    alternating(1e-145).areWithinTheBounds();
    assertThat(alternating(1e-158).share(Bound.VAR)).isGreaterThan(1);
  }

  @ParameterizedTest(name = "{0} rows")
  @ValueSource(ints = {3, 1000, 1_000_000})
  void the_sums_of_inference_keep_their_digits(int n) {
    // running mean 0 and variance 1; Σ 0.1 * 0.1 and Σ 0.1 round in the same direction each time
    double[][] tenths = new double[n][1];
    for (double[] row : tenths) {
      row[0] = 0.1;
    }
    BatchNormLayer layer = new BatchNormLayer(1);
    BatchNormGradients gradients = layer.inferBackward(tenths, tenths);
    double[] x = TestData.column(tenths, 0);
    ExactColumn exact = new ExactColumn(x, x, 1, 0, 1e-5);
    assertThat(distance(gradients.dbeta()[0], exact.dbeta)).isLessThan(TOLERANCE * n * 0.1);
    double dgamma = exact.products.doubleValue() / Math.sqrt(1 + 1e-5);
    assertThat(gradients.dgamma()[0] / dgamma - 1).isBetween(-TOLERANCE, TOLERANCE);
  }
}
