package io.github.batchnorm;

import io.github.batchnorm.Grid.Tile;

/**
 * The arithmetic on rows, for the columns of a tile. This class has no checks and no state: the
 * callers have both. Local variables carry the names of the nodes, and the steps are those of
 * Kratzert's post.
 *
 * <p>The loops are cut for the compiler of JDK 17, which makes vector instructions of a loop only
 * if all its arrays have the same index, it stores into one of them, and its body is small (about
 * seven arrays and ten operations). A loop that breaks these rules takes 3 to 4 times as long. Sums
 * take several rows at a time, as many as the rules allow, which halves the time: the sums are
 * loaded and stored less often, and rows that lie scattered in memory are fetched side by side.
 */
final class Rows {
  private Rows() {}

  /** {@code sums += Σ rows} over the rows of the tile. */
  static void addRows(double[][] rows, Tile t, double[] sums) {
    int i = t.first();
    for (; i <= t.end() - 4; i += 4) {
      add(rows[i], rows[i + 1], rows[i + 2], rows[i + 3], sums, t);
    }
    for (; i < t.end(); i++) {
      add(rows[i], sums, t.from(), t.to());
    }
  }

  private static void add(double[] a, double[] b, double[] c, double[] d, double[] sums, Tile t) {
    for (int j = t.from(); j < t.to(); j++) {
      sums[j] += (a[j] + b[j]) + (c[j] + d[j]);
    }
  }

  /** {@code sums += row}. */
  static void add(double[] row, double[] sums, int from, int to) {
    for (int j = from; j < to; j++) {
      sums[j] += row[j];
    }
  }

  /** {@code sums += Σ (x - origin)} over the rows of the tile. */
  static void addDifferences(double[][] x, double[] origin, Tile t, double[] sums) {
    int i = t.first();
    for (; i <= t.end() - 4; i += 4) {
      addDifferences(x[i], x[i + 1], x[i + 2], x[i + 3], origin, sums, t);
    }
    for (; i < t.end(); i++) {
      addDifference(x[i], origin, sums, t);
    }
  }

  private static void addDifferences(
      double[] a, double[] b, double[] c, double[] d, double[] origin, double[] sums, Tile t) {
    for (int j = t.from(); j < t.to(); j++) {
      double o = origin[j];
      sums[j] += ((a[j] - o) + (b[j] - o)) + ((c[j] - o) + (d[j] - o));
    }
  }

  private static void addDifference(double[] x, double[] origin, double[] sums, Tile t) {
    for (int j = t.from(); j < t.to(); j++) {
      sums[j] += x[j] - origin[j];
    }
  }

  /** {@code sums += Σ a * b} over the rows of the tile. */
  static void addProducts(double[][] a, double[][] b, Tile t, double[] sums) {
    int i = t.first();
    for (; i <= t.end() - 2; i += 2) {
      addProducts(a[i], b[i], a[i + 1], b[i + 1], sums, t);
    }
    for (; i < t.end(); i++) {
      addProduct(a[i], b[i], sums, t);
    }
  }

  private static void addProducts(
      double[] a, double[] b, double[] c, double[] d, double[] sums, Tile t) {
    for (int j = t.from(); j < t.to(); j++) {
      sums[j] += a[j] * b[j] + c[j] * d[j];
    }
  }

  private static void addProduct(double[] a, double[] b, double[] sums, Tile t) {
    for (int j = t.from(); j < t.to(); j++) {
      sums[j] += a[j] * b[j];
    }
  }

  /** Step 2: {@code xmu = (x - mu) - rest} for the rows of the tile. */
  static void xmu(double[][] x, double[] mu, double[] rest, double[][] xmu, Tile t) {
    for (int i = t.first(); i < t.end(); i++) {
      xmu(x[i], mu, rest, xmu[i], t);
    }
  }

  private static void xmu(double[] x, double[] mu, double[] rest, double[] xmu, Tile t) {
    for (int j = t.from(); j < t.to(); j++) {
      xmu[j] = (x[j] - mu[j]) - rest[j];
    }
  }

  /** Steps 3 and 4: {@code sums += Σ sq}, {@code sq = xmu²}, over the rows of the tile. */
  static void addSq(double[][] xmu, Tile t, double[] sums) {
    int i = t.first();
    for (; i <= t.end() - 4; i += 4) {
      addSq(xmu[i], xmu[i + 1], xmu[i + 2], xmu[i + 3], sums, t);
    }
    for (; i < t.end(); i++) {
      addProduct(xmu[i], xmu[i], sums, t);
    }
  }

  private static void addSq(double[] a, double[] b, double[] c, double[] d, double[] sums, Tile t) {
    for (int j = t.from(); j < t.to(); j++) {
      sums[j] += (a[j] * a[j] + b[j] * b[j]) + (c[j] * c[j] + d[j] * d[j]);
    }
  }

  /** Steps 2 to 4 without a matrix for xmu: {@code sums += Σ ((x - mu) - rest)²}. */
  static void addSqOfXmu(double[][] x, double[] mu, double[] rest, Tile t, double[] sums) {
    int i = t.first();
    for (; i <= t.end() - 2; i += 2) {
      addSqOfXmu(x[i], x[i + 1], mu, rest, sums, t);
    }
    for (; i < t.end(); i++) {
      addSqOfXmu(x[i], mu, rest, sums, t);
    }
  }

  private static void addSqOfXmu(
      double[] a, double[] b, double[] mu, double[] rest, double[] sums, Tile t) {
    for (int j = t.from(); j < t.to(); j++) {
      double amu = (a[j] - mu[j]) - rest[j];
      double bmu = (b[j] - mu[j]) - rest[j];
      sums[j] += amu * amu + bmu * bmu;
    }
  }

  private static void addSqOfXmu(double[] x, double[] mu, double[] rest, double[] sums, Tile t) {
    for (int j = t.from(); j < t.to(); j++) {
      double xmu = (x[j] - mu[j]) - rest[j];
      sums[j] += xmu * xmu;
    }
  }

  /** Steps 7, 8 and 9. */
  static void out(
      double[] xmu, double[] ivar, double[] gamma, double[] beta, double[] out, Tile t) {
    for (int j = t.from(); j < t.to(); j++) {
      double xhat = xmu[j] * ivar[j];
      double gammax = gamma[j] * xhat;
      out[j] = gammax + beta[j];
    }
  }

  /** Steps 8, 7, 3, 2 and 0: the branches that meet in xmu, and in x. */
  static void dx(
      double[] dout,
      double[] gamma,
      double[] ivar,
      double[] xmu,
      double[] dsq,
      double[] dx2,
      double[] dx,
      Tile t) {
    for (int j = t.from(); j < t.to(); j++) {
      double dxhat = dout[j] * gamma[j];
      double dxmu1 = dxhat * ivar[j];
      double dxmu2 = 2 * xmu[j] * dsq[j];
      double dx1 = dxmu1 + dxmu2;
      dx[j] = dx1 + dx2[j];
    }
  }

  /**
   * Row i of an output, made if it is null: a plain call hands down a matrix without rows. The
   * thread that fills a row makes it just before, so the row is still in the caches of its core.
   */
  static double[] make(double[][] output, int i, int d) {
    if (output[i] == null) {
      output[i] = new double[d];
    }
    return output[i];
  }

  /** Inference: steps 2, 7, 8 and 9 with a mean and an ivar that are constants. */
  static void infer(
      double[] x, double[] mean, double[] ivar, double[] gamma, double[] beta, double[] out) {
    for (int j = 0; j < out.length; j++) {
      double xhat = (x[j] - mean[j]) * ivar[j];
      double gammax = gamma[j] * xhat;
      out[j] = gammax + beta[j];
    }
  }

  /** Inference: {@code sums += Σ dout * xhat} over the rows of the tile. */
  static void addXhatProducts(
      double[][] dout, double[][] x, double[] mean, double[] ivar, Tile t, double[] sums) {
    int i = t.first();
    for (; i <= t.end() - 2; i += 2) {
      addXhatProducts(dout[i], x[i], dout[i + 1], x[i + 1], mean, ivar, sums, t);
    }
    for (; i < t.end(); i++) {
      addXhatProduct(dout[i], x[i], mean, ivar, sums, t);
    }
  }

  private static void addXhatProducts(
      double[] a,
      double[] x,
      double[] b,
      double[] y,
      double[] mean,
      double[] ivar,
      double[] sums,
      Tile t) {
    for (int j = t.from(); j < t.to(); j++) {
      sums[j] += a[j] * ((x[j] - mean[j]) * ivar[j]) + b[j] * ((y[j] - mean[j]) * ivar[j]);
    }
  }

  private static void addXhatProduct(
      double[] dout, double[] x, double[] mean, double[] ivar, double[] sums, Tile t) {
    for (int j = t.from(); j < t.to(); j++) {
      sums[j] += dout[j] * ((x[j] - mean[j]) * ivar[j]);
    }
  }

  /** Inference: steps 8 and 7 backward. */
  static void inferDx(double[] dout, double[] gamma, double[] ivar, double[] dx, Tile t) {
    for (int j = t.from(); j < t.to(); j++) {
      double dxhat = dout[j] * gamma[j];
      dx[j] = dxhat * ivar[j];
    }
  }

  /** {@code a + b}: a new row. */
  static double[] sum(double[] a, double[] b) {
    double[] sum = new double[a.length];
    for (int j = 0; j < sum.length; j++) {
      sum[j] = a[j] + b[j];
    }
    return sum;
  }

  /** {@code a * b}: a new row. */
  static double[] product(double[] a, double[] b) {
    double[] product = new double[a.length];
    for (int j = 0; j < product.length; j++) {
      product[j] = a[j] * b[j];
    }
    return product;
  }

  /**
   * Whether no value is NaN or infinite. The sum of all values is finite only if every value is,
   * and takes a quarter less time than a test of each value. If it is not finite, each value is
   * tested.
   */
  static boolean areFinite(double[] row) {
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    int j = 0;
    for (; j + 4 <= row.length; j += 4) {
      a += row[j];
      b += row[j + 1];
      c += row[j + 2];
      d += row[j + 3];
    }
    return areFinite(row, Double.isFinite((a + b) + (c + d)) ? j : 0, row.length);
  }

  /** Whether no value in the columns {@code [from, to)} is NaN or infinite. */
  static boolean areFinite(double[] row, int from, int to) {
    for (int j = from; j < to; j++) {
      if (!Double.isFinite(row[j])) {
        return false;
      }
    }
    return true;
  }

  /** Whether at least one row of one matrix is also the row of the other at the same index. */
  static boolean areShared(double[][] a, double[][] b) {
    for (int i = 0; i < a.length; i++) {
      if (a[i] == b[i]) {
        return true;
      }
    }
    return false;
  }

  /** Whether all values are true. A loop, because a stream would allocate. */
  static boolean areTrue(boolean[] values) {
    boolean all = true;
    for (boolean value : values) {
      all &= value;
    }
    return all;
  }
}
