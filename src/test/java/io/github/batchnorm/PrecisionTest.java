package io.github.batchnorm;

import static io.github.batchnorm.ExactColumn.distance;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.function.IntToDoubleFunction;
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
  /** 18 units in the last place. */
  private static final double TOLERANCE = 4e-15;

  private static final double GAMMA = 1.7;
  private static final double BETA = -0.3;
  private static final double EPSILON = 1e-5;

  /** Many times this constant makes a plain sum round in the same direction again and again. */
  private static final double C = 0.5335945482950093;

  /** With this one the squares do: found by climbing towards the largest error of var. */
  private static final double SQUARES_ROUND_ALIKE = 1.0055273905551558;

  /** The rows of dx and out that are compared in a long column, beside the largest |xhat|. */
  private static final int ROWS = 500;

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

  /** What the layer makes of a column that stands between two others. */
  private static final class Computed {
    final double[] out;
    final double[] xhat;
    final double[] dx;
    final double dgamma;
    final double dbeta;
    final double mu;
    final double var;
    final double ivar;

    Computed(double[] x, double[] dout) {
      BatchNormLayer layer =
          BatchNormLayer.builder(3)
              .gamma(new double[] {1, GAMMA, 1})
              .beta(new double[] {0, BETA, 0})
              .epsilon(EPSILON)
              .build();
      out = TestData.column(layer.forward(between(x)), 1);
      BatchNormGraph graph = layer.graph();
      BatchNormGradients gradients = layer.backward(between(dout));
      xhat = TestData.column(graph.xhat(), 1);
      dx = TestData.column(gradients.dx(), 1);
      dgamma = gradients.dgamma()[1];
      dbeta = gradients.dbeta()[1];
      mu = graph.mu()[1];
      var = graph.var()[1];
      ivar = graph.ivar()[1];
    }

    private static double[][] between(double[] column) {
      return Arrays.stream(column)
          .mapToObj(value -> new double[] {5, value, 1e3})
          .toArray(double[][]::new);
    }
  }

  private static double sum(int n, IntToDoubleFunction term) {
    return IntStream.range(0, n).mapToDouble(term).sum();
  }

  private static double max(int n, IntToDoubleFunction term) {
    return IntStream.range(0, n).mapToDouble(term).max().orElseThrow();
  }

  private static int[] rows(double[] xhat) {
    int n = xhat.length;
    double largest = max(n, i -> Math.abs(xhat[i]));
    int every = Math.max(1, n / ROWS);
    return IntStream.range(0, n)
        .filter(i -> i % every == 0 || i == n - 1 || Math.abs(xhat[i]) == largest)
        .limit(3 * ROWS)
        .toArray();
  }

  private static void assertWithin(String what, double error, double scale) {
    assertThat(error).as(what).isLessThanOrEqualTo(TOLERANCE * scale);
  }

  private static void check(double[] x, double[] dout, boolean ordinary) {
    int n = x.length;
    ExactColumn exact = new ExactColumn(x, dout, GAMMA, BETA, EPSILON);
    Computed c = new Computed(x, dout);
    double sigma = Math.sqrt(c.var);
    double scale = GAMMA * c.ivar;
    double meanDout = sum(n, i -> Math.abs(dout[i])) / n;
    double meanXhat = sum(n, i -> Math.abs(c.xhat[i])) / n;
    double sumDoutXhat = sum(n, i -> Math.abs(dout[i] * c.xhat[i]));

    double mu = Math.max(0, distance(c.mu, exact.mu) - Math.ulp(c.mu) / 2);
    assertWithin("mu beyond its own rounding, of √var", mu, sigma);
    assertWithin("var, of var", distance(c.var, exact.var), c.var);
    assertWithin("dbeta, of Σ |dout|", distance(c.dbeta, exact.dbeta), n * meanDout);
    double dgamma = distance(c.dgamma, exact.dgamma);
    assertWithin(
        "dgamma, of Σ |dout| * (|xhat| + mean |xhat|)",
        dgamma,
        sumDoutXhat + n * meanDout * meanXhat);
    double out = 0;
    double dx = 0;
    for (int i : rows(c.xhat)) {
      out = Math.max(out, distance(c.out[i], exact.out(i)));
      dx = Math.max(dx, distance(c.dx[i], exact.dx(i)));
    }
    assertWithin("out, of the largest |out|", out, max(n, i -> Math.abs(c.out[i])));
    assertWithin(
        "dx, of its largest formula with all terms absolute",
        dx,
        scale * max(n, i -> Math.abs(dout[i]) + meanDout + Math.abs(c.xhat[i]) * sumDoutXhat / n));
    if (ordinary) {
      assertWithin("dgamma, of Σ |dout * xhat|", dgamma, sumDoutXhat);
      assertWithin(
          "dx, of the largest |dout * gamma * ivar|", dx, scale * max(n, i -> Math.abs(dout[i])));
    }
  }

  @ParameterizedTest(name = "of {0}")
  @EnumSource(X.class)
  void columns_of_2_to_200000_rows_keep_their_digits(X x) {
    for (int n : new int[] {3, 100, 646, 1000, 32_768}) {
      for (Dout dout : Dout.values()) {
        double[] column = x.of(n);
        check(column, dout.of(column), true);
      }
    }
    double[] column = x.of(200_000);
    Dout[] douts = Dout.values();
    check(column, douts[x.ordinal() % douts.length].of(column), true);
  }

  /** xhat reaches 200 here, and dx is 200 times as large as dout: its rounding is, too. */
  @Test
  void a_dout_that_follows_the_sign_of_xmu_is_within_the_formula_with_all_terms_absolute() {
    double[] column = X.ZERO_FIRST_AND_LAST_OF_1000.of(200_000);
    check(column, Arrays.stream(column).map(v -> v > 1000 ? C : -0.3).toArray(), false);
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
    check(column, dout, false);
  }

  @ParameterizedTest(name = "{0} rows")
  @CsvSource({"2", "5", "64", "65", "32768", "200000"})
  void a_constant_column_gives_exactly_zero(int n) {
    for (double constant : new double[] {C, 1e9 + 0.1, -1e300, Double.MIN_VALUE}) {
      double[] x = new double[n];
      Arrays.fill(x, constant);
      Computed c = new Computed(x, Dout.GAUSSIAN.of(x));
      assertThat(c.mu).isEqualTo(constant);
      assertThat(c.xhat).containsOnly(0);
      assertThat(c.out).containsOnly(BETA);
    }
  }

  @ParameterizedTest(name = "{0} rows")
  @CsvSource({"3", "1000", "1000000"})
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
    assertWithin("dbeta", distance(gradients.dbeta()[0], exact.dbeta), n * 0.1);
    double dgamma = exact.products.doubleValue() / Math.sqrt(1 + 1e-5);
    assertThat(gradients.dgamma()[0] / dgamma - 1).isBetween(-TOLERANCE, TOLERANCE);
  }

  @ParameterizedTest(name = "smoothing factor {0}")
  @ValueSource(doubles = {1, 0.1, 0.01})
  void inference_loses_at_a_large_mean_what_its_comment_says(double a) {
    double[][] x = new double[100][1];
    for (double[] row : x) {
      row[0] = 1e9 + 1e-2 * g();
    }
    BatchNormLayer layer = BatchNormLayer.builder(1).smoothingFactor(a).build();
    for (int batch = 0; batch < 40 / a; batch++) { // until the averages stand still
      layer.forward(x);
    }
    double[] xmu = TestData.column(layer.graph().xmu(), 0);
    double sigma = Math.sqrt(layer.runningVar()[0] + layer.epsilon());
    double[][] xhat = layer.infer(x);
    for (int i = 0; i < x.length; i++) {
      assertThat(Math.abs(xhat[i][0] - xmu[i] / sigma))
          .isLessThanOrEqualTo(Math.ulp(1e9) / (a * sigma));
    }
  }
}
