package io.github.batchnorm;

import io.github.batchnorm.Grid.Tile;
import java.io.Serial;
import java.io.Serializable;

/**
 * The mean and the sum of squares of each column over some rows: over one block, or over two parts
 * merged.
 *
 * <p>A part is not changed once it is made. The callers check the arguments; this class only
 * computes.
 *
 * @param rows the number of rows n, at least 1
 * @param mu the mean rounded to the nearest double, shape (D)
 * @param rest the mean less mu, shape (D)
 * @param sq Σ (x - mu - rest)², shape (D)
 */
record Part(long rows, double[] mu, double[] rest, double[] sq) implements Serializable {
  /*
   * How far rounding can put a column of a part off, in units of 2^-53. M is the number of blocks in
   * the part, L the largest number of merges that a block has gone through, and σ the deviation of
   * the column. Products of two roundings are left out.
   *
   * Block, mean: the guess of mu is so close that the sum of x - mu is nearly 0. So no partial sum is
   * more than half of Σ|x - mu|. Each x - mu is rounded once and goes through two additions among
   * four rows: 3 Σ|x - mu|. Then come up to 18 additions, of four rows or of one, the first of them
   * to 0: 8.5 Σ|x - mu|. Divided by n this is at most 11.5 σ. A rest is rounded too, but |rest| <=
   * |x - mean| for each row, since mu is the double that is nearest to the mean.
   *
   * Block, squares: xmu has 2 roundings, its square 5. It goes through at most 33 additions: 38 in
   * all. A mean that is off by e adds n e², which is of second order.
   *
   * Merge, mean: let B = δ² na nb / n be what a merge adds to the squares. All B together are at most
   * the squares of the whole. Since nb <= na, the step δ nb / n is at most √(B / n). It has 4
   * roundings. Parts of the same height have no row in common, so by Cauchy and Schwarz L heights put
   * the mean off by 4 √L σ. The difference of the rests, and the sum of a rest and what the step
   * lost, are rounded once: 2 σ for each height. The mean of a part is off by e = 11.5 + 4 √L + 2 L.
   *
   * Merge, squares: 2 additions at each height, 10 roundings in B. Means that are off by e σ put δ
   * off, and the B of one height by 2 e √(B W), where W are the squares within its parts. Over all
   * heights this is at most 2 √L (12.5 + 4 √L) + 2.4 L √L. With the division by n, var is off by at
   * most 38 + 10 + 1 + 2 L + 25 √L + 8 L + 2.4 L √L. This is less than 73 + 32 L for L <= 44.
   *
   * ColumnStatistics has L <= 1 + log2 M. So var is within 105 + 32 log2 M, and the mean, with √L <=
   * 1 + L / 4, within 19 + 3 log2 M.
   */
  @Serial private static final long serialVersionUID = 1;

  /** The most rows of a block: more rows would round more often. */
  static final int BLOCK_ROWS = 64;

  /**
   * 64 rows of this width take 256 KiB: a block is read three times, and stays in the second-level
   * cache.
   */
  private static final int STRIP_WIDTH = 512;

  /** The part of the rows {@code [first, end)}, at most {@link #BLOCK_ROWS}; shape (N, D). */
  static Part ofBlock(double[][] x, int first, int end) {
    int d = x[first].length;
    Part block = new Part(end - first, x[first].clone(), new double[d], new double[d]);
    double[] sum = new double[d];
    for (int from = 0; from < d; from += STRIP_WIDTH) {
      block.compute(x, new Tile(0, first, end, from, Math.min(from + STRIP_WIDTH, d)), sum);
    }
    return block;
  }

  /** Moves mu, which is one of the rows at first, to the mean: first roughly, then in two parts. */
  private void compute(double[][] x, Tile t, double[] sum) {
    Rows.addDifferences(x, mu, t, sum);
    for (int j = t.from(); j < t.to(); j++) {
      mu[j] += sum[j] / rows;
      sum[j] = 0;
    }
    Rows.addDifferences(x, mu, t, sum);
    for (int j = t.from(); j < t.to(); j++) {
      double correction = sum[j] / rows;
      double nearest = mu[j] + correction;
      rest[j] = lost(mu[j], correction, nearest);
      mu[j] = nearest;
    }
    Rows.addSqOfXmu(x, mu, rest, t, sq);
  }

  /**
   * Merges two parts that have no row in common.
   *
   * <p>T. F. Chan, G. H. Golub, R. J. LeVeque, <a
   * href="https://doi.org/10.1080/00031305.1983.10483115">Algorithms for Computing the Sample
   * Variance</a>, 1983, formula 2.1, with the mean in place of the sum.
   */
  static Part merge(Part a, Part b) {
    if (a.rows < b.rows) {
      return merge(b, a); // a short step has a small rounding error
    }
    int d = a.mu.length;
    Part merged = new Part(a.rows + b.rows, new double[d], new double[d], new double[d]);
    double share = (double) b.rows / merged.rows;
    for (int j = 0; j < d; j++) {
      double delta = (b.mu[j] - a.mu[j]) + (b.rest[j] - a.rest[j]);
      double step = delta * share;
      double sum = a.mu[j] + step;
      double rest = a.rest[j] + lost(a.mu[j], step, sum);
      merged.mu[j] = sum + rest;
      merged.rest[j] = lost(sum, rest, merged.mu[j]);
      merged.sq[j] = (a.sq[j] + b.sq[j]) + a.rows * step * delta;
    }
    return merged;
  }

  /** The rounding error of {@code sum = a + b}: what is lost, exactly (D. E. Knuth's TwoSum). */
  private static double lost(double a, double b, double sum) {
    double added = sum - a;
    return (a - (sum - added)) + (b - added);
  }

  /** Whether parts like this, of 2^63 rows in all, cannot overflow when they are merged. */
  boolean isModerate() {
    for (int j = 0; j < mu.length; j++) {
      if (!(Math.abs(mu[j]) <= 1e100 && sq[j] <= 1e250)) {
        return false;
      }
    }
    return true;
  }

  /** A part with arrays of its own. */
  Part copy() {
    return new Part(rows, mu.clone(), rest.clone(), sq.clone());
  }
}
