package io.github.batchnorm;

import java.util.Arrays;
import java.util.function.Function;

/**
 * A gradient that is to be checked: that of the loss {@code Σ dout * f(x)} with respect to x. A
 * vector is a matrix of one row.
 *
 * @param name of the gradient, for messages
 * @param isVector whether the caller knows x as a vector
 * @param f takes a point of the shape of x
 * @param x the point, shape (N, D)
 * @param dout the derivative of the loss with respect to {@code f(x)}, of its shape
 * @param analytic the gradient, shape (N, D)
 */
record Gradient(
    String name,
    boolean isVector,
    Function<double[][], double[][]> f,
    double[][] x,
    double[][] dout,
    double[][] analytic) {

  Gradient { // copies: f may write into arrays that it shares with the caller
    x = copy(x);
    dout = copy(dout);
    analytic = copy(analytic);
    for (int i = 0; i < x.length; i++) {
      Check.inReach(isVector ? "p" : "x[" + i + "]", x[i]);
    }
  }

  static Gradient byVector(
      String name, Function<double[], double[][]> f, double[] p, double[][] dout, double[] dp) {
    double[][] x = {p};
    return new Gradient(name, true, at -> f.apply(at[0]), x, dout, new double[][] {dp});
  }

  /** The number of entries. */
  long size() {
    return (long) x.length * x[0].length;
  }

  String nameOf(int i, int j) {
    return name + (isVector ? "" : "[" + i + "]") + "[" + j + "]";
  }

  /** f at x with another value in entry (i, j): a new array, the rows one after the other. */
  double[] outputs(int i, int j, double value) {
    double[][] point = copy(x);
    point[i][j] = value;
    double[][] out = f.apply(point);
    Check.shape(isVector ? "f(p)" : "f(x)", out, dout.length, dout[0].length, "dout");
    return flat(out);
  }

  /** The standard deviation of column j. If all its values are the same, their size, at least 1. */
  double spread(int j) {
    double mean = Arrays.stream(x).mapToDouble(row -> row[j] / x.length).sum();
    double root = Math.sqrt(x.length); // divided first, as the sum might overflow
    double deviation =
        Arrays.stream(x).mapToDouble(row -> (row[j] - mean) / root).reduce(0, Math::hypot);
    // the mean of equal values is rounded
    return deviation > 4 * Math.ulp(mean) ? deviation : Math.max(1, Math.abs(mean));
  }

  static double[] flat(double[][] matrix) {
    return Arrays.stream(matrix).flatMapToDouble(Arrays::stream).toArray();
  }

  private static double[][] copy(double[][] matrix) {
    return Arrays.stream(matrix).map(double[]::clone).toArray(double[][]::new);
  }
}
