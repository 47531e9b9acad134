package io.github.batchnorm;

/**
 * Arithmetic on one row of D values at a time. No checks and no state: the callers have both.
 *
 * <p>Every loop has one store, which is what the compiler of JDK 17 turns into vector instructions.
 * Local variables carry the names of the nodes, and the steps are those of Kratzert's post.
 */
final class Rows {
  private Rows() {}

  /** Step 1, for one row: {@code sum += x - shift}. */
  static void addShifted(double[] x, double[] shift, double[] sum) {
    for (int j = 0; j < sum.length; j++) {
      sum[j] += x[j] - shift[j];
    }
  }

  /** Step 2, for one row: {@code xmu = (x - shift) - rest}. */
  static void subtractMean(double[] x, double[] shift, double[] rest, double[] xmu) {
    for (int j = 0; j < xmu.length; j++) {
      xmu[j] = (x[j] - shift[j]) - rest[j];
    }
  }

  /** Step 3, for one row: {@code sq = xmu²}. */
  static void square(double[] xmu, double[] sq) {
    for (int j = 0; j < sq.length; j++) {
      sq[j] = xmu[j] * xmu[j];
    }
  }

  /** Steps 4 and 9, for one row: {@code sum += row}. */
  static void add(double[] row, double[] sum) {
    for (int j = 0; j < sum.length; j++) {
      sum[j] += row[j];
    }
  }

  /** Steps 8 and 7, for one row: {@code sum += a * b}. */
  static void addProduct(double[] a, double[] b, double[] sum) {
    for (int j = 0; j < sum.length; j++) {
      sum[j] += a[j] * b[j];
    }
  }

  /** Step 7, for one row: {@code xhat = xmu * ivar}. */
  static void normalize(double[] xmu, double[] ivar, double[] xhat) {
    for (int j = 0; j < xhat.length; j++) {
      xhat[j] = xmu[j] * ivar[j];
    }
  }

  /** Steps 8 and 9, for one row: {@code out = gamma * xhat + beta}. */
  static void scaleAndShift(double[] xhat, double[] gamma, double[] beta, double[] out) {
    for (int j = 0; j < out.length; j++) {
      double gammax = gamma[j] * xhat[j];
      out[j] = gammax + beta[j];
    }
  }

  /** Steps 8, 7, 3, 2 and 0, for one row: the two branches that meet in xmu, and in x. */
  static void dx(
      double[] dout,
      double[] gamma,
      double[] ivar,
      double[] xmu,
      double[] dsq,
      double[] dx2,
      double[] dx) {
    for (int j = 0; j < dx.length; j++) {
      double dxhat = dout[j] * gamma[j];
      double dxmu1 = dxhat * ivar[j];
      double dxmu2 = 2 * xmu[j] * dsq[j];
      double dx1 = dxmu1 + dxmu2;
      dx[j] = dx1 + dx2[j];
    }
  }

  /** Inference, for one row: {@code xhat = (x - mean) * ivar}. */
  static void normalize(double[] x, double[] mean, double[] ivar, double[] xhat) {
    for (int j = 0; j < xhat.length; j++) {
      xhat[j] = (x[j] - mean[j]) * ivar[j];
    }
  }

  /** Inference, for one row: {@code out = gamma * ((x - mean) * ivar) + beta}. */
  static void infer(
      double[] x, double[] mean, double[] ivar, double[] gamma, double[] beta, double[] out) {
    for (int j = 0; j < out.length; j++) {
      double xhat = (x[j] - mean[j]) * ivar[j];
      double gammax = gamma[j] * xhat;
      out[j] = gammax + beta[j];
    }
  }

  /** Backward of inference, for one row: {@code dx = dout * gamma * ivar}. */
  static void dx(double[] dout, double[] gamma, double[] ivar, double[] dx) {
    for (int j = 0; j < dx.length; j++) {
      double dxhat = dout[j] * gamma[j];
      dx[j] = dxhat * ivar[j];
    }
  }

  /** The sum of a row: not finite if a value is not (but also if finite values overflow). */
  static double sum(double[] row) {
    double sum = 0;
    for (double value : row) {
      sum += value;
    }
    return sum;
  }
}
