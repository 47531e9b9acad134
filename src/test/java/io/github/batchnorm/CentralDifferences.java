package io.github.batchnorm;

import static io.github.batchnorm.TestData.copy;

import java.util.function.UnaryOperator;

/**
 * Numeric gradients of the loss {@code L = Σ dout * f(x)}, for any f on matrices.
 *
 * <p>The step follows the spread s of a column, {@code h = s * ∛max(2^-52, ulp(|x|) / s)}: a fixed
 * step, or one that follows |x|, is off by up to 100 % on columns with a small spread or a large
 * mean. Differences are taken of the outputs, before they are summed, and divided by the distance
 * of the two points as the doubles have it.
 */
final class CentralDifferences {
  private CentralDifferences() {}

  /**
   * @param spread √(variance + ε) of each column of x, or whatever scale its effect has
   */
  static double[][] gradient(
      UnaryOperator<double[][]> f, double[][] x, double[][] dout, double[] spread) {
    double[][] gradient = new double[x.length][x[0].length];
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < x[i].length; j++) {
        gradient[i][j] = derivative(f, x, i, j, dout, step(spread[j], x[i][j]));
      }
    }
    return gradient;
  }

  private static double step(double spread, double x) {
    return spread * Math.cbrt(Math.max(0x1p-52, Math.ulp(x) / spread));
  }

  private static double derivative(
      UnaryOperator<double[][]> f, double[][] x, int i, int j, double[][] dout, double step) {
    double[][] above = copy(x);
    double[][] below = copy(x);
    above[i][j] += step;
    below[i][j] -= step;
    double[][] outAbove = f.apply(copy(above));
    double[][] outBelow = f.apply(copy(below));
    double difference = 0;
    for (int r = 0; r < dout.length; r++) {
      for (int c = 0; c < dout[r].length; c++) {
        difference += dout[r][c] * (outAbove[r][c] - outBelow[r][c]);
      }
    }
    return difference / (above[i][j] - below[i][j]);
  }
}
