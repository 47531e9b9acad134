package io.github.batchnorm.benchmark;

import java.util.function.DoubleUnaryOperator;

/**
 * F. Kratzert, "Understanding the backward pass through Batch Normalization Layer", 2016, the way
 * one does it by hand in Java: the post's numpy line by line, every node a fresh array.
 */
final class NaiveKratzert implements Contender {
  private Batch batch;

  // the post's cache; shapes (N, D) and (D)
  private double[][] xhat;
  private double[][] xmu;
  private double[] ivar;
  private double[] sqrtvar;
  private double[] var;

  private double[][] out;
  private double[][] dx;
  private double[] dgamma;
  private double[] dbeta;

  @Override
  public void prepare(Batch batch) {
    this.batch = batch;
  }

  @Override
  public void forward() {
    double[][] x = batch.x();
    double perRow = 1.0 / x.length;
    double[] mu = map(sum(x), s -> perRow * s); // 1
    xmu = plus(x, map(mu, m -> -m)); // 2
    double[][] sq = times(xmu, xmu); // 3
    var = map(sum(sq), s -> perRow * s); // 4
    sqrtvar = map(var, v -> Math.sqrt(v + Batch.EPSILON)); // 5
    ivar = map(sqrtvar, s -> 1 / s); // 6
    xhat = times(xmu, ivar); // 7
    double[][] gammax = times(xhat, batch.gamma()); // 8
    out = plus(gammax, batch.beta()); // 9
  }

  @Override
  public void backward() {
    double[][] dout = batch.dout();
    double perRow = 1.0 / dout.length;
    dbeta = sum(dout); // 9
    double[][] dgammax = dout;
    dgamma = sum(times(dgammax, xhat)); // 8
    double[][] dxhat = times(dgammax, batch.gamma());
    double[] divar = sum(times(dxhat, xmu)); // 7
    double[][] dxmu1 = times(dxhat, ivar);
    double[] dsqrtvar = times(divar, map(sqrtvar, s -> -1 / (s * s))); // 6
    double[] dvar = times(dsqrtvar, map(var, v -> 0.5 / Math.sqrt(v + Batch.EPSILON))); // 5
    double[][] dsq = rows(map(dvar, v -> perRow * v), dout.length); // 4
    double[][] dxmu2 = twice(times(xmu, dsq)); // 3
    double[][] dx1 = plus(dxmu1, dxmu2); // 2
    double[] dmu = map(sum(dx1), s -> -s);
    double[][] dx2 = rows(map(dmu, m -> perRow * m), dout.length); // 1
    dx = plus(dx1, dx2); // 0
  }

  @Override
  public double[][] out() {
    return out;
  }

  @Override
  public double[][] dx() {
    return dx;
  }

  @Override
  public double[] dgamma() {
    return dgamma;
  }

  @Override
  public double[] dbeta() {
    return dbeta;
  }

  private static double[] sum(double[][] a) {
    double[] result = new double[a[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < result.length; j++) {
        result[j] += a[i][j];
      }
    }
    return result;
  }

  private static double[][] plus(double[][] a, double[][] b) {
    double[][] result = new double[a.length][a[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[0].length; j++) {
        result[i][j] = a[i][j] + b[i][j];
      }
    }
    return result;
  }

  private static double[][] plus(double[][] a, double[] b) {
    double[][] result = new double[a.length][a[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[0].length; j++) {
        result[i][j] = a[i][j] + b[j];
      }
    }
    return result;
  }

  private static double[][] times(double[][] a, double[][] b) {
    double[][] result = new double[a.length][a[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[0].length; j++) {
        result[i][j] = a[i][j] * b[i][j];
      }
    }
    return result;
  }

  private static double[][] times(double[][] a, double[] b) {
    double[][] result = new double[a.length][a[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[0].length; j++) {
        result[i][j] = a[i][j] * b[j];
      }
    }
    return result;
  }

  private static double[] times(double[] a, double[] b) {
    double[] result = new double[a.length];
    for (int j = 0; j < a.length; j++) {
      result[j] = a[j] * b[j];
    }
    return result;
  }

  /** In place: one array less than the post's 2 * xmu * dsq, in the naive port's favour. */
  private static double[][] twice(double[][] a) {
    for (double[] row : a) {
      for (int j = 0; j < row.length; j++) {
        row[j] *= 2;
      }
    }
    return a;
  }

  private static double[] map(double[] a, DoubleUnaryOperator f) {
    double[] result = new double[a.length];
    for (int j = 0; j < a.length; j++) {
      result[j] = f.applyAsDouble(a[j]);
    }
    return result;
  }

  /** The row n times, as fresh arrays. */
  private static double[][] rows(double[] row, int n) {
    double[][] result = new double[n][];
    for (int i = 0; i < n; i++) {
      result[i] = row.clone();
    }
    return result;
  }
}
