package io.github.batchnorm;

/**
 * The averages over the batches of the training, by which inference normalizes.
 *
 * <p>{@code running = (1 - a) * running + a * batch}, where a is the smoothing factor or, for the
 * cumulative average, 1 / (number of batches). A convex combination of finite values is finite, so
 * finite batch statistics keep the averages finite.
 */
final class RunningStatistics {
  double epsilon;
  double smoothingFactor;
  boolean cumulative; // whether 1 / batches takes the place of the smoothing factor
  boolean populationVar;

  final double[] mean; // (D)
  final double[] var; // (D), from sample variances (divide by N - 1) or population variances
  final double[] ivar; // (D), 1 / √(var + ε), kept so that inference takes no square root
  long batches;

  /** Starts with the averages and settings of a state. */
  RunningStatistics(BatchNormState state) {
    mean = new double[state.features()];
    var = new double[state.features()];
    ivar = new double[state.features()];
    set(state);
  }

  /** Takes over the averages and settings of a state. Allocates nothing, so it cannot fail. */
  void set(BatchNormState state) {
    epsilon = state.epsilon();
    smoothingFactor = state.smoothingFactor();
    cumulative = state.cumulativeAverage();
    populationVar = state.populationRunningVar();
    batches = state.batchesTracked();
    state.copyRunning(mean, var);
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
    batches = Math.max(batches, batches + 1); // stays at the largest long
    double a = cumulative ? 1.0 / batches : smoothingFactor;
    double toRunningVar = populationVar ? 1 : n / (n - 1.0);
    for (int j = 0; j < mean.length; j++) {
      mean[j] = (1 - a) * mean[j] + a * batchMean[j];
    }
    for (int j = 0; j < var.length; j++) {
      var[j] = (1 - a) * var[j] + a * (toRunningVar * batchVar[j]);
    }
    updateIvar();
  }

  private void updateIvar() {
    for (int j = 0; j < ivar.length; j++) {
      ivar[j] = 1 / Math.sqrt(var[j] + epsilon);
    }
  }
}
