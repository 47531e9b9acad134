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
   * @throws IllegalArgumentException if a value of x is not finite; rows of out may be written
   *     then, unless they are rows of x
   */
  static void forward(
      double[][] x,
      RunningStatistics running,
      double[] gamma,
      double[] beta,
      double[][] out,
      boolean parallel) {
    int rowsOfAPart = Math.max(VALUES_OF_A_PART / gamma.length, 1);
    boolean inParts = parallel && x.length >= 2 * rowsOfAPart;
    boolean inPlace = sharesRow(x, out);
    if (inPlace && inParts) { // no row of x is overwritten before all are known to be finite
      Team.forRows(x.length, rowsOfAPart, (first, end) -> checkFinite(x, first, end));
    } else if (inPlace) {
      checkFinite(x, 0, x.length);
    }
    if (inParts) {
      Team.forRows(
          x.length,
          rowsOfAPart,
          (first, end) -> forward(x, running, gamma, beta, out, first, end, !inPlace));
    } else {
      forward(x, running, gamma, beta, out, 0, x.length, !inPlace);
    }
  }

  private static boolean sharesRow(double[][] x, double[][] out) {
    for (int i = 0; i < x.length; i++) {
      if (out[i] == x[i]) {
        return true;
      }
    }
    return false;
  }

  private static void forward(
      double[][] x,
      RunningStatistics running,
      double[] gamma,
      double[] beta,
      double[][] out,
      int first,
      int end,
      boolean check) {
    for (int i = first; i < end; i++) {
      if (check) {
        checkFinite(x, i, i + 1);
      }
      Rows.infer(x[i], running.mean, running.ivar, gamma, beta, out[i]);
    }
  }

  private static void checkFinite(double[][] x, int first, int end) {
    for (int i = first; i < end; i++) {
      if (!Double.isFinite(Rows.sum(x[i]))) {
        Check.finite("x", i, x[i]);
      }
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
