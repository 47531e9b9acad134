package io.github.batchnorm;

import static io.github.batchnorm.ExactColumn.distance;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Columns that push every rounding of a long sum the same way, against the bounds that {@link
 * Roundings} counts.
 *
 * <p>A sum just above 1 has 2u = 2^-52 as its last place. Of the terms that follow, each that is
 * just below u is lost, and each that is just above u counts double. So a column begins with a pair
 * of large values ±V, V² + V² just above 1, and goes on with pairs of small ones, ±v. Their squares
 * are added four at a time, and four are just above u. Their products with a dout of ±w are added
 * two at a time, and two are just below. So Σ dout * xmu becomes too small and var too large: both
 * make dgamma too small.
 *
 * <p>The sums of blocks 2^k to 2^(k+1) - 1 are added at one go to that of the blocks before them. A
 * few terms less make such a group half a last place short of a whole one, and it is rounded, too.
 */
class SteeredColumnsTest {
  private static final double EPSILON = 1e-20; // nothing beside the variance
  private static final double U = 0x1p-53;
  private static final double LARGE = Math.sqrt(0.5) * (1 + 1e-12);
  private static final double SMALL = Math.sqrt(U / 4 * (1 + 1e-9));
  private static final double SMALL_DOUT = U / 2 * (1 - 1e-9) / SMALL;

  private record Column(double[] x, double[] dout) {
    /**
     * A column of n rows.
     *
     * @param heads how many blocks begin with a large pair, a power of two
     * @param hasFar whether one more block does, with dout = 0 there and its x so large that its
     *     squares add up to those of all heads. In dx of that pair, what is off is xhat * Σ dout *
     *     xhat, which has 1 / √var to the third power
     */
    Column(int n, int heads, boolean hasFar) {
      this(new double[n], new double[n]);
      int heavy = hasFar ? 2 * heads : heads;
      for (int i = 0; i < n; i++) {
        int block = i / 64;
        int row = i % 64;
        int inGroup = block - Integer.highestOneBit(block);
        boolean isFar = hasFar && block == heads;
        if ((block < heads || isFar) && row < 4) {
          x[i] = row < 2 ? 0 : LARGE;
          dout[i] = row < 2 || isFar ? 0 : LARGE;
        } else {
          boolean hasX = block < heavy || inGroup >= heavy || row >= 4;
          boolean hasDout = block < heads || inGroup >= heads || row >= 6;
          x[i] = hasX ? SMALL : 0;
          dout[i] = hasX && hasDout ? SMALL_DOUT : 0;
        }
        double sign = row % 2 == 0 ? 1 : -1;
        double factor = isFar ? Math.sqrt(heads) : 1;
        x[i] *= sign * factor;
        dout[i] *= sign / factor;
      }
    }

    Deviations deviations() {
      return new Deviations(x, dout, EPSILON);
    }
  }

  @ParameterizedTest(name = "of {0} rows")
  @ValueSource(
      ints = {2, 3, 4, 5, 8, 31, 32, 33, 60, 64, 65, 128, 129, 1000, 16_384, 200_000, 1_000_000})
  void dgamma_comes_near_its_bound_and_all_results_stay_within_theirs(int n) {
    Deviations deviations = new Column(n, 1, false).deviations();
    deviations.areWithinTheBounds();
    if (n >= 60) {
      assertThat(deviations.share(Bound.DGAMMA)).isGreaterThan(0.5);
    }
  }

  @ParameterizedTest(name = "of {0} rows")
  @ValueSource(ints = {2048, 65_536, 1_000_000})
  void dx_comes_near_its_bound_and_all_results_stay_within_theirs(int n) {
    Deviations deviations = new Column(n, 16, true).deviations();
    deviations.areWithinTheBounds();
    if (n == 1_000_000) {
      assertThat(deviations.share(Bound.DX)).isGreaterThan(0.5);
    }
  }

  /** Four small values add up to just below u. */
  @ParameterizedTest(name = "of {0} rows")
  @ValueSource(ints = {2, 3, 4, 64, 65, 1000, 16_384, 200_000})
  void dbeta_comes_near_its_bound(int n) {
    double[] dout = new double[n];
    for (int i = 0; i < n; i++) {
      int block = i / 64;
      boolean isFirst = block == Integer.highestOneBit(block) && i % 64 < 4;
      dout[i] = i == 0 ? 1 + 1e-12 : isFirst ? 0 : U / 4 * (1 - 1e-9);
    }
    Deviations deviations = new Deviations(new Column(n, 1, false).x, dout, EPSILON);
    deviations.areWithinTheBounds();
    if (n >= 64) {
      assertThat(deviations.share(Bound.DBETA)).isGreaterThan(0.5);
    }
  }

  @ParameterizedTest(name = "of {0} rows")
  @ValueSource(ints = {1, 2, 3, 64, 65, 4096, 200_000, 1_000_000})
  void dgamma_of_infer_backward_comes_near_its_bound(int n) {
    Column column = new Column(n, 1, false);
    double[][] x = new double[n][];
    double[][] dout = new double[n][];
    for (int i = 0; i < n; i++) {
      x[i] = new double[] {column.x[i]};
      dout[i] = new double[] {column.dout[i]};
    }
    // running mean 0 and variance 1, so that xhat = x
    BatchNormLayer layer = BatchNormLayer.builder(1).epsilon(EPSILON).build();
    BatchNormGradients gradients = layer.inferBackward(x, dout);
    ExactColumn exact = new ExactColumn(column.x, column.dout, 1, 0, EPSILON);
    double scale = Deviations.sum(n, i -> Math.abs(column.dout[i] * column.x[i]));
    double bound = Bound.INFER_DGAMMA.at(n) * scale;
    double error = distance(gradients.dgamma()[0], exact.products);
    assertThat(error).isLessThanOrEqualTo(bound);
    if (n >= 64) {
      assertThat(error).isGreaterThan(bound / 2);
    }
    double sumDout = Deviations.sum(n, i -> Math.abs(column.dout[i]));
    assertThat(distance(gradients.dbeta()[0], exact.dbeta))
        .isLessThanOrEqualTo(Bound.INFER_DBETA.at(n) * sumDout);
  }
}
