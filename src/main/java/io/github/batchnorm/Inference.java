package io.github.batchnorm;

/**
 * Batch normalization with running averages, which are constants: every row stands for itself.
 *
 * <p>The callers check the arguments, but for one thing that is found out on the way: whether a row
 * is finite.
 */
final class Inference {
  /** In a part for one thread, some 10 µs. */
  private static final int VALUES_OF_A_PART = 1 << 15;

  private Inference() {}

  /**
   * {@code out = gamma * xhat + beta} with {@code xhat = (x - mean) * ivar}.
   *
   * @param x shape (N, D); not modified unless it is {@code out}
   * @param out written, shape (N, D); may be {@code x}
   * @throws IllegalArgumentException if a value of x is not finite; rows of out before it may be
   *     written, unless they are rows of x
   */
  static void forward(
      double[][] x,
      RunningStatistics running,
      double[] gamma,
      double[] beta,
      double[][] out,
      boolean parallel) {
    for (int i = 0; i < x.length; i++) {
      if (out[i] == x[i]) {
        checkFinite(x[i], i); // before any row of x is overwritten
      }
    }
    int rowsOfAPart = Math.max(VALUES_OF_A_PART / gamma.length, 1);
    if (parallel && x.length >= 2 * rowsOfAPart) {
      Team.forRows(
          x.length, rowsOfAPart, (first, end) -> forward(x, running, gamma, beta, out, first, end));
    } else {
      forward(x, running, gamma, beta, out, 0, x.length);
    }
  }

  private static void forward(
      double[][] x,
      RunningStatistics running,
      double[] gamma,
      double[] beta,
      double[][] out,
      int first,
      int end) {
    for (int i = first; i < end; i++) {
      checkFinite(x[i], i);
      Rows.infer(x[i], running.mean, running.ivar, gamma, beta, out[i]);
    }
  }

  private static void checkFinite(double[] row, int i) {
    if (!Double.isFinite(Rows.sum(row))) {
      Check.finite("x", i, row);
    }
  }

  /** {@code gamma * ivar}, shape (D): a new array. */
  static double[] scale(RunningStatistics running, double[] gamma) {
    double[] scale = new double[gamma.length];
    Rows.multiply(gamma, running.ivar, scale, 0, gamma.length);
    return scale;
  }

  /**
   * The gradients of {@link #forward}.
   *
   * @param x shape (N, D); not modified
   * @param dout shape (N, D); not modified
   * @param scale gamma * ivar, shape (D); not modified
   * @return new arrays; dgamma or dbeta is not finite if a value of x or dout is not
   */
  static BatchNormGradients backward(
      double[][] x, double[][] dout, RunningStatistics running, double[] scale) {
    int d = scale.length;
    double[][] dx = new double[x.length][d];
    double[] dgamma = new double[d];
    double[] dbeta = new double[d];

    for (int i = 0; i < x.length; i++) {
      Rows.add(dout[i], dbeta, 0, d);
      Rows.addProduct(dout[i], x[i], running.mean, dgamma, 0, d);
      Rows.multiply(dout[i], scale, dx[i], 0, d);
    }
    Rows.multiply(dgamma, running.ivar, dgamma, 0, d);
    return new BatchNormGradients(dx, dgamma, dbeta);
  }
}
