package io.github.batchnorm.benchmark;

import java.util.Arrays;
import java.util.Random;

/**
 * What a contender computes with: the same seed gives the same numbers.
 *
 * @param x shape (N, D); each feature has a mean and a spread of its own
 * @param dout shape (N, D)
 * @param gamma shape (D)
 * @param beta shape (D)
 * @param mean shape (D): of the features, what a layer would learn as its running mean
 * @param var shape (D): of the features, likewise
 */
record Batch(
    double[][] x, double[][] dout, double[] gamma, double[] beta, double[] mean, double[] var) {
  static final double EPSILON = 1e-5;

  /** Makes a batch of a size such as 32x16: rows, columns. */
  static Batch random(String size, long seed) {
    String[] shape = size.split("x");
    return random(Integer.parseInt(shape[0]), Integer.parseInt(shape[1]), new Random(seed));
  }

  private static Batch random(int rows, int columns, Random random) {
    double[] mean = gaussian(columns, 0, 2, random);
    double[] spread = gaussian(columns, 1, 0.1, random);
    double[][] x = new double[rows][columns];
    double[][] dout = new double[rows][];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        x[i][j] = mean[j] + spread[j] * random.nextGaussian();
      }
      dout[i] = gaussian(columns, 0, 1, random);
    }
    double[] gamma = gaussian(columns, 1, 0.3, random);
    double[] beta = gaussian(columns, 0, 0.3, random);
    double[] var = Arrays.stream(spread).map(s -> s * s).toArray();
    return new Batch(x, dout, gamma, beta, mean, var);
  }

  private static double[] gaussian(int length, double mean, double spread, Random random) {
    double[] values = new double[length];
    for (int j = 0; j < length; j++) {
      values[j] = mean + spread * random.nextGaussian();
    }
    return values;
  }
}
