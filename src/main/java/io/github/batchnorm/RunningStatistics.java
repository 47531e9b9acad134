package io.github.batchnorm;

import java.util.Arrays;

/**
 * The averages over the batches seen in training, which inference normalizes with.
 *
 * <p>{@code running = (1 - a) * running + a * batch}, where a is the smoothing factor or, for the
 * cumulative average, 1 / (number of batches). A convex combination of finite values is finite, so
 * finite batch statistics can never spoil the averages.
 */
final class RunningStatistics {
  /** Stands for a smoothing factor of 1 / (number of batches). */
  static final double CUMULATIVE = 0;

  private final double smoothingFactor;
  private final double epsilon;

  final double[] mean; // (D)
  final double[] var; // (D), from sample variances (divide by N - 1)
  final double[] ivar; // (D), 1 / √(var + ε), kept so that inference takes no square root
  long batches;

  RunningStatistics(int features, double smoothingFactor, double epsilon) {
    this.smoothingFactor = smoothingFactor;
    this.epsilon = epsilon;
    mean = new double[features];
    var = new double[features];
    ivar = new double[features];
    Arrays.fill(var, 1);
    updateIvar();
  }

  /**
   * Takes in the statistics of one batch.
   *
   * @param batchMean the mean of the batch, shape (D), finite
   * @param batchVar its population variance (divides by N), shape (D), with N * batchVar finite
   * @param n its number of rows, at least 2
   */
  void add(double[] batchMean, double[] batchVar, int n) {
    batches++;
    double a = smoothingFactor == CUMULATIVE ? 1.0 / batches : smoothingFactor;
    double toSampleVariance = n / (n - 1.0);
    for (int j = 0; j < mean.length; j++) {
      mean[j] = (1 - a) * mean[j] + a * batchMean[j];
    }
    for (int j = 0; j < var.length; j++) {
      var[j] = (1 - a) * var[j] + a * (toSampleVariance * batchVar[j]);
    }
    updateIvar();
  }

  /** Takes over the averages, but not the smoothing factor. */
  void copy(RunningStatistics other) {
    System.arraycopy(other.mean, 0, mean, 0, mean.length);
    System.arraycopy(other.var, 0, var, 0, var.length);
    batches = other.batches;
    updateIvar();
  }

  private void updateIvar() {
    for (int j = 0; j < ivar.length; j++) {
      ivar[j] = 1 / Math.sqrt(var[j] + epsilon);
    }
  }
}
