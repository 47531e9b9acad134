package io.github.batchnorm;

import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * Batch normalization with running averages, which are constants: every row stands for itself.
 *
 * <p>The callers check the arguments; this class only computes.
 */
final class Inference {
  /** In a part for one thread, some 10 µs. */
  private static final int VALUES_OF_A_PART = 1 << 15;

  private final RunningStatistics running;
  private final double[] gamma; // (D) of the layer, live
  private final double[] beta; // (D) of the layer, live
  private final IntFunction<Team> teams;

  Inference(RunningStatistics running, double[] gamma, double[] beta, IntFunction<Team> teams) {
    this.running = running;
    this.gamma = gamma;
    this.beta = beta;
    this.teams = teams;
  }

  /**
   * {@code out = gamma * xhat + beta} with {@code xhat = (x - mean) * ivar}.
   *
   * @param x shape (N, D); not modified unless it shares rows with {@code out}
   * @param out written, shape (N, D)
   * @return whether x is finite. If not, an out that shares rows with x is untouched, and any other
   *     may be written in part.
   */
  boolean forward(double[][] x, double[][] out) {
    return (!Rows.areShared(x, out) || forAllRows(x.length, i -> Rows.areFinite(x[i])))
        && forAllRows(x.length, i -> forward(x[i], out[i]));
  }

  /**
   * The same for one row.
   *
   * @param row shape (D); not modified unless it is {@code out}
   * @param out written, shape (D)
   * @return whether the row is finite. If not, out is untouched.
   */
  boolean forward(double[] row, double[] out) {
    if (!Rows.areFinite(row)) {
      return false;
    }
    Rows.infer(row, running.mean, running.ivar, gamma, beta, out);
    return true;
  }

  /** Whether a predicate holds for rows 0 to n - 1; several threads ask if they are many. */
  private boolean forAllRows(int n, IntPredicate predicate) {
    int rows = (VALUES_OF_A_PART - 1) / gamma.length + 1;
    int parts = n / rows;
    if (parts < 2) {
      return forAllRows(0, n, predicate);
    }
    boolean[] holds = new boolean[parts];
    try (Team team = teams.apply(parts)) {
      team.forEach(
          parts,
          p -> holds[p] = forAllRows(p * rows, p == parts - 1 ? n : p * rows + rows, predicate));
    }
    return IntStream.range(0, parts).allMatch(p -> holds[p]);
  }

  private static boolean forAllRows(int first, int end, IntPredicate predicate) {
    for (int i = first; i < end; i++) {
      if (!predicate.test(i)) {
        return false;
      }
    }
    return true;
  }

  /**
   * The gradients of {@link #forward}.
   *
   * @param x shape (N, D); not modified
   * @param dout shape (N, D); not modified
   * @return new arrays; dgamma or dbeta is not finite if a value of x or dout is not
   */
  BatchNormGradients backward(double[][] x, double[][] dout) {
    int d = gamma.length;
    double[][] xhat = new double[x.length][];
    double[][] dx = new double[x.length][];
    for (int i = 0; i < x.length; i++) {
      xhat[i] = Rows.product(Rows.difference(x[i], running.mean), running.ivar);
      dx[i] = Rows.product(Rows.product(dout[i], gamma), running.ivar);
    }
    Grid grid = new Grid(x.length, d);
    Sums sums = new Sums(grid.blocks(), d);
    Sums products = new Sums(grid.blocks(), d);
    double[] dbeta = new double[d];
    double[] dgamma = new double[d];
    for (Grid.Strip s : grid.strips) {
      for (Grid.Tile t : s.tiles()) {
        Rows.addRows(dout, t, sums.of(t));
        Rows.addProducts(dout, xhat, t, products.of(t));
      }
      System.arraycopy(sums.total(s), s.from(), dbeta, s.from(), s.to() - s.from());
      System.arraycopy(products.total(s), s.from(), dgamma, s.from(), s.to() - s.from());
    }
    return new BatchNormGradients(dx, dgamma, dbeta);
  }
}
