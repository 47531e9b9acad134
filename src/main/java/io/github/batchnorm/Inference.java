package io.github.batchnorm;

import io.github.batchnorm.Grid.Strip;
import io.github.batchnorm.Grid.Tile;
import java.util.function.IntPredicate;

/**
 * Batch normalization by the running averages. They are constants here, so the rows are independent
 * of each other.
 *
 * <p>The callers check the arguments; this class only computes.
 */
final class Inference {
  /** The values in a part, which one thread does in some 10 µs. */
  private static final int VALUES_OF_A_PART = 1 << 15;

  private final RunningStatistics running;
  private final double[] gamma; // (D) of the layer, live
  private final double[] beta; // (D) of the layer, live
  private final int d;
  private final int threads;

  Inference(RunningStatistics running, double[] gamma, double[] beta, int threads) {
    this.running = running;
    this.gamma = gamma;
    this.beta = beta;
    this.d = gamma.length;
    this.threads = threads;
  }

  /**
   * {@code out = gamma * xhat + beta} with {@code xhat = (x - mean) * ivar}.
   *
   * <p>Any value of x, gamma or beta that is not finite makes an output that is not finite. So one
   * check of the output replaces checks of x, gamma and beta. In place, these three checks have to
   * come first.
   *
   * @param x shape (N, D); not modified unless it shares rows with {@code out}
   * @param out written, shape (N, D); rows that are null are made
   * @return true if x, gamma and beta are finite. False if one of them is not, or if out overflows.
   *     After false an out that shares rows with x is untouched.
   */
  boolean forward(double[][] x, double[][] out) {
    if (!Rows.areShared(x, out)) {
      return forAllRows(x.length, i -> forward(x[i], Rows.make(out, i, d)));
    }
    if (!parametersAreFinite() || !forAllRows(x.length, i -> Rows.areFinite(x[i]))) {
      return false;
    }
    return forAllRows(x.length, i -> normalize(x[i], out[i]));
  }

  /**
   * The same for one row.
   *
   * @param row shape (D); not modified unless it is {@code out}
   * @param out written, shape (D)
   * @return true if row, gamma and beta are finite. False if one of them is not, or if out
   *     overflows. After false an out that is row is untouched.
   */
  boolean forward(double[] row, double[] out) {
    boolean inPlace = row == out;
    if (inPlace && !(parametersAreFinite() && Rows.areFinite(row))) {
      return false;
    }
    normalize(row, out);
    return inPlace || Rows.areFinite(out);
  }

  /** Always true: in place, an output may overflow. */
  private boolean normalize(double[] row, double[] out) {
    Rows.infer(row, running.mean, running.ivar, gamma, beta, out);
    return true;
  }

  private boolean parametersAreFinite() {
    return Rows.areFinite(gamma) && Rows.areFinite(beta);
  }

  /**
   * Whether a predicate holds for rows 0 to n - 1. Several threads share the rows if there are
   * many. Every row is tested, even after one has failed, and nothing is allocated once the tests
   * have begun.
   */
  private boolean forAllRows(int n, IntPredicate predicate) {
    int parts = parts(n, d);
    int rows = n / parts;
    boolean[] holds = new boolean[parts];
    try (Team team = Team.of(parts, threads)) {
      team.forEach(
          parts,
          p -> holds[p] = forAllRows(p * rows, p == parts - 1 ? n : p * rows + rows, predicate));
    }
    return Rows.areTrue(holds);
  }

  static int parts(int n, int d) {
    int rows = (VALUES_OF_A_PART - 1) / d + 1; // in a part, at least
    return Math.max(1, n / rows);
  }

  private static boolean forAllRows(int first, int end, IntPredicate predicate) {
    boolean holds = true;
    for (int i = first; i < end; i++) {
      holds &= predicate.test(i);
    }
    return holds;
  }

  /**
   * The gradients of {@link #forward}.
   *
   * @param x shape (N, D); not modified
   * @param dout shape (N, D); not modified
   * @param gradients written: dx (N, D), where rows that are null are made, dgamma (D), dbeta (D)
   * @return whether dgamma and dbeta are finite. If not, x or dout holds a value that is NaN,
   *     infinite or too large.
   */
  boolean backward(double[][] x, double[][] dout, BatchNormGradients gradients) {
    Grid grid = new Grid(x.length, d);
    Sums sums = new Sums(grid.blocks(), d);
    try (Walk walk = new Walk(grid, threads)) {
      return walk.run(
          s -> addUp(walk, s, sums, x, dout, gradients),
          t -> dx(dout, gradients.dx(), t),
          gradients.dx(),
          false);
    }
  }

  private boolean addUp(
      Walk walk, Strip s, Sums sums, double[][] x, double[][] dout, BatchNormGradients gradients) {
    int from = s.from();
    int width = s.to() - from;
    double[] sumDout = walk.sum(s, sums, (t, sum) -> Rows.addRows(dout, t, sum));
    System.arraycopy(sumDout, from, gradients.dbeta(), from, width);
    double[] sumDoutXhat =
        walk.sum(
            s, sums, (t, sum) -> Rows.addXhatProducts(dout, x, running.mean, running.ivar, t, sum));
    System.arraycopy(sumDoutXhat, from, gradients.dgamma(), from, width);
    return Rows.areFinite(gradients.dgamma(), from, s.to())
        && Rows.areFinite(gradients.dbeta(), from, s.to());
  }

  private void dx(double[][] dout, double[][] dx, Tile t) {
    for (int i = t.first(); i < t.end(); i++) {
      Rows.inferDx(dout[i], gamma, running.ivar, dx[i], t);
    }
  }
}
