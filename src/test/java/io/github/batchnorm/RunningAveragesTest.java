package io.github.batchnorm;

import static io.github.batchnorm.ExactColumn.distance;
import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The bounds that {@link BatchNormLayer#infer} states for the running averages, against the exact
 * averages of the batches' means and variances.
 *
 * <p>With u = 2^-53, a step {@code r = (1 - a) r + a b} rounds 1 - a, and its product with r, by (1
 * - a) u of the largest r, a b by a u of it, and the sum by u: (3 - a) u in all. The next step
 * multiplies this by 1 - a, so that all steps together come to (3 - a) u / a. A variance has been
 * multiplied by N / (N - 1), which is two roundings of a b more: (3 + a) u / a. Hence 4 u / a for
 * both; the largest r is that little larger than the largest b, too.
 *
 * <p>In step j of the cumulative average a = 1 / j is rounded, too: (3 + 1 / j) u for a mean and 2
 * u / j more for a variance. Step k has multiplied this by j / k. The sum over j is (1.5 k + 4.5)
 * u, less what the first steps spare, where 1 / j and 1 - 1 / j are exact. Hence (2 k + 2) u.
 */
@DisplayName("Running averages (seed 47)")
class RunningAveragesTest {
  private static final MathContext DIGITS = new MathContext(40);

  /** A layer of one feature, and the exact averages of the batches that it is given. */
  private static final class Averages {
    final BatchNormLayer layer;
    private final Random random = new Random(47);
    private BigDecimal mean;
    private BigDecimal var;
    private double largestMean;
    private double largestVar;

    Averages(BatchNormLayer.Builder builder, double mean, double var) {
      layer = builder.runningStatistics(new double[] {mean}, new double[] {var}, 0).build();
      this.mean = new BigDecimal(mean);
      this.var = new BigDecimal(var);
      largestMean = Math.abs(mean);
      largestVar = var;
    }

    /** Trains with four rows, mean ± spread. */
    void add(double mean, double spread) {
      layer.forward(batch(mean, spread));
      double batchMean = layer.graph().mu()[0];
      double batchVar = layer.graph().var()[0];
      BigDecimal sampleVar =
          new BigDecimal(batchVar).multiply(new BigDecimal(4)).divide(new BigDecimal(3), DIGITS);
      BigDecimal a = weight(layer);
      this.mean = average(this.mean, new BigDecimal(batchMean), a);
      var = average(var, sampleVar, a);
      largestMean = Math.max(largestMean, Math.abs(batchMean));
      largestVar = Math.max(largestVar, sampleVar.doubleValue());
    }

    /** Trains with the one of some batches beside 1e9 that makes the running mean largest. */
    void addSteered() {
      double worst = Double.NEGATIVE_INFINITY;
      double steered = 0;
      for (int i = 0; i < 8; i++) {
        double candidate = 1e9 - Math.ulp(1e9) * random.nextInt(1000);
        BatchNormLayer copy = layer.copy();
        copy.forward(batch(candidate, 0));
        BigDecimal exact = average(mean, new BigDecimal(candidate), weight(copy));
        double error = new BigDecimal(copy.runningMean()[0]).subtract(exact).doubleValue();
        if (error > worst) {
          worst = error;
          steered = candidate;
        }
      }
      add(steered, 0);
    }

    private static double[][] batch(double mean, double spread) {
      double[] low = {mean - spread};
      double[] high = {mean + spread};
      return new double[][] {low, high, low, high};
    }

    private static BigDecimal weight(BatchNormLayer layer) {
      return layer.cumulativeAverage()
          ? BigDecimal.ONE.divide(new BigDecimal(layer.batchesTracked()), DIGITS)
          : new BigDecimal(layer.smoothingFactor());
    }

    private static BigDecimal average(BigDecimal running, BigDecimal batch, BigDecimal a) {
      return running.add(batch.subtract(running).multiply(a, DIGITS), DIGITS);
    }

    /** As a share of what the Javadoc allows. */
    double share() {
      double bound =
          layer.cumulativeAverage()
              ? 2.0 * layer.batchesTracked() + 2
              : 4 / layer.smoothingFactor();
      double ofMean = distance(layer.runningMean()[0], mean) / (largestMean * 0x1p-53);
      double ofVar = distance(layer.runningVar()[0], var) / (largestVar * 0x1p-53);
      return Math.max(ofMean, ofVar) / bound;
    }
  }

  private static BatchNormLayer.Builder smoothing(double a) {
    return BatchNormLayer.builder(1).smoothingFactor(a);
  }

  private static BatchNormLayer.Builder cumulative() {
    return BatchNormLayer.builder(1).cumulativeAverage();
  }

  /** Starting beside them, the averages come to a stop where a step is rounded away. */
  @ParameterizedTest(name = "smoothing factor {0}")
  @ValueSource(doubles = {0.9, 0.5, 0.3, 0.1, 0.05, 0.01})
  void equal_batches_leave_the_averages_within_the_bound_and_near_it(double a) {
    Random random = new Random(47);
    double worst = 0;
    for (int series = 0; series < 20; series++) {
      double mean = 0x1p29 * (1 + random.nextDouble());
      double spread = 1 + random.nextDouble();
      double beside = series % 2 == 0 ? 1 - 1e-13 : 1 + 1e-13;
      Averages averages = new Averages(smoothing(a), beside * mean, beside * spread * spread);
      for (int batch = 0; batch < 20 / a; batch++) {
        averages.add(mean, spread);
        worst = Math.max(worst, averages.share());
      }
    }
    assertThat(worst).isBetween(0.25, 1.0);
  }

  @ParameterizedTest(name = "smoothing factor {0}")
  @ValueSource(doubles = {1, 0.9, 0.5, 0.3, 0.1, 0.05, 0.01})
  void unequal_batches_leave_the_averages_within_the_bound(double a) {
    staysWithinTheBound(new Averages(smoothing(a), 1e9, 1), 1000);
  }

  @Test
  void unequal_batches_leave_the_cumulative_averages_within_the_bound() {
    staysWithinTheBound(new Averages(cumulative(), 0, 1), 10_000);
  }

  private static void staysWithinTheBound(Averages averages, int batches) {
    Random random = new Random(47);
    for (int batch = 0; batch < batches; batch++) {
      averages.add(1e9 + random.nextGaussian(), random.nextDouble());
      assertThat(averages.share()).isLessThanOrEqualTo(1);
    }
  }

  @Test
  void batches_that_steer_the_rounding_leave_the_cumulative_average_within_the_bound() {
    Averages averages = new Averages(cumulative(), 0, 1);
    for (int batch = 0; batch < 1000; batch++) {
      averages.addSteered();
      assertThat(averages.share()).isLessThanOrEqualTo(1);
    }
    assertThat(averages.share()).isGreaterThan(0.05); // other batches: 0.002
  }

  /** Equal batches have themselves as their exact average. */
  @Test
  void a_million_batches_leave_the_cumulative_average_within_the_bound() {
    BatchNormLayer layer = cumulative().build();
    double[][] x = Averages.batch(1e9, 1e-2);
    for (int batch = 0; batch < 1_000_000; batch++) {
      layer.forward(x);
    }
    double error = Math.abs(layer.runningMean()[0] - layer.graph().mu()[0]);
    assertThat(error).isLessThanOrEqualTo((2e6 + 2) * 0x1p-53 * 1e9);
  }

  @ParameterizedTest(name = "smoothing factor {0}")
  @ValueSource(doubles = {1, 0.1, 0.01})
  void inference_at_a_large_mean_loses_what_the_error_of_the_mean_makes_of_it(double a) {
    Random random = new Random(47);
    double[][] x = new double[100][1];
    for (double[] row : x) {
      row[0] = 1e9 + 1e-2 * random.nextGaussian();
    }
    BatchNormLayer layer = smoothing(a).build();
    for (int batch = 0; batch < 40 / a; batch++) { // until the averages stand still
      layer.forward(x);
    }
    double[] xmu = TestData.column(layer.graph().xmu(), 0);
    double sigma = Math.sqrt(layer.runningVar()[0] + layer.epsilon());
    double[][] xhat = layer.infer(x);
    for (int i = 0; i < x.length; i++) {
      assertThat(Math.abs(xhat[i][0] - xmu[i] / sigma))
          .isLessThanOrEqualTo(4 / a * 0x1p-53 * 1e9 / sigma);
    }
  }
}
