package io.github.batchnorm;

import io.github.batchnorm.Grid.Strip;
import io.github.batchnorm.Grid.Tile;
import java.util.Arrays;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * The computational graph of batch normalization on one mini-batch: its nodes and the two walks,
 * steps 1 to 9 forward and 9 to 0 backward, as in F. Kratzert, "Understanding the backward pass
 * through Batch Normalization Layer" (2016).
 *
 * <p>The callers check the arguments; this class only computes.
 */
final class Graph {
  /*
   *  x ──┬──────────► (2) xmu ──┬──────────────────────► (7) xhat ─► (8) gammax ─► (9) out
   *      │             ▲        │                          ▲          ▲             ▲
   *      └─► (1) mu ───┘        └─► (3) sq ─► (4) var      │          gamma         beta
   *                                            │           │
   *                                            ▼           │
   *                                     (5) sqrtvar ─► (6) ivar
   *
   * Backward, the arrows turn round. Two branches meet in xmu (from steps 7 and 3) and in x (from
   * steps 2 and 1): there the derivatives add.
   *
   * Where the code departs from the post, and why:
   *
   * Steps 1, 2   The mean has two parts, mu and rest, and xmu = (x - mu) - rest. A mean of 1e9 in
   *              one double is off by up to 6e-8, and xmu would inherit that error whole. First a
   *              quarter of the rows tell roughly where the mean is: shift + Σ (x - shift) / rows,
   *              with the first row as shift, so that a constant feature gives xmu = 0 exactly.
   *              This estimate is within 4 Σ |x - mean| / N of the mean. That is near enough for
   *              Σ (x - mu) / N over all rows to find its error. (All rows in place of a
   *              quarter give the same digits and take 4 to 15 % longer.)
   * Steps 3, 7   sq and xhat are not kept: each is one multiplication of xmu, which takes less time
   *              than a read from memory. The methods sq and xhat compute them again, to the bit.
   * Steps 8, 7   dgamma = Σ dout * xhat and divar = Σ dout * gamma * xmu are Σ dout * xmu times a
   *              factor per feature, so one sum serves both.
   * Steps 6, 5   1 / sqrtvar is ivar, which is there: two divisions less (4 % at 64 x 64).
   * Steps 4, 1   dsq and dx2 are the same in every row, so one row stands for all.
   * Step 2       dmu = -Σ dx1 = -Σ dxmu1 - Σ dxmu2, and Σ dxmu2 = 2 * dsq * Σ xmu = 0. What remains
   *              is -gamma * ivar * Σ dout, without another sum.
   * All sums     are taken over blocks of rows, which are then added in pairs (see Sums).
   *              Roundings, a class of the tests, counts how often each result is rounded.
   *
   * In memory: one matrix (N, D), xmu, reused from batch to batch, and two sums per feature for
   * each block of 32 to 64 rows.
   */

  private final int d;
  private final int threads;
  private Grid grid; // of the last forward

  // forward; the number is the step that makes the node
  final double[] mu; // (D) 1
  final double[] rest; // (D) 1, the mean less mu
  private double[][] xmu = {}; // (N, D) 2, or more rows if an earlier batch had them
  final double[] var; // (D) 4, population variance (divides by N)
  final double[] sqrtvar; // (D) 5
  final double[] ivar; // (D) 6
  final double[] gamma; // (D) as it was in this forward

  // backward, the nodes that are one value per feature
  final double[] divar; // (D) 7
  final double[] dsqrtvar; // (D) 6
  final double[] dvar; // (D) 5
  final double[] dsq; // (D) 4, the same in every row
  final double[] dmu; // (D) 2
  final double[] dx2; // (D) 1, the same in every row

  private Sums sums = new Sums(0, 0); // (blocks, D) of whatever is to be summed
  private Sums products = new Sums(0, 0); // (blocks, D) of dout * xmu

  /** A graph of {@code d} features, whose walks use up to {@code threads} threads. */
  Graph(int d, int threads) {
    this.d = d;
    this.threads = threads;
    mu = new double[d];
    rest = new double[d];
    var = new double[d];
    sqrtvar = new double[d];
    ivar = new double[d];
    gamma = new double[d];
    divar = new double[d];
    dsqrtvar = new double[d];
    dvar = new double[d];
    dsq = new double[d];
    dmu = new double[d];
    dx2 = new double[d];
  }

  /** The number of rows of the last {@link #forward}. */
  int rows() {
    return grid.n;
  }

  /**
   * Steps 1 to 9.
   *
   * @param x the mini-batch, shape (N, D); not modified unless it shares rows with {@code out}
   * @param gamma the scale, shape (D); copied
   * @param beta the shift, shape (D); not modified
   * @param out written, shape (N, D): {@code gamma * xhat + beta}; rows that are null are made
   * @return whether every node up to xhat, gamma * ivar and beta are finite. If not, x, gamma or
   *     beta holds a value that is NaN, infinite or too large. An out that shares rows with x is
   *     then untouched.
   */
  boolean forward(double[][] x, double[] gamma, double[] beta, double epsilon, double[][] out) {
    reserve(x.length);
    System.arraycopy(gamma, 0, this.gamma, 0, d);
    try (Walk walk = new Walk(grid, threads)) {
      return walk.run(
          s -> steps1To6(walk, s, x, epsilon) && Rows.areFinite(beta, s.from(), s.to()),
          t -> steps7To9(beta, out, t),
          out,
          Rows.areShared(x, out));
    }
  }

  private boolean steps1To6(Walk walk, Strip s, double[][] x, double epsilon) {
    // Step 1: mu = Σ x / N
    mean(walk, s, x);
    // Step 2: xmu = x - mu
    // Step 3: sq = xmu²
    // Step 4: var = Σ sq / N
    double[] sumSq =
        walk.sum(
            s,
            sums,
            (t, sum) -> {
              Rows.xmu(x, mu, rest, xmu, t);
              Rows.addSq(xmu, t, sum);
            });
    for (int j = s.from(); j < s.to(); j++) {
      var[j] = sumSq[j] / grid.n;
    }
    // Step 5: sqrtvar = √(var + ε)
    for (int j = s.from(); j < s.to(); j++) {
      sqrtvar[j] = Math.sqrt(var[j] + epsilon);
    }
    // Step 6: ivar = 1 / sqrtvar
    for (int j = s.from(); j < s.to(); j++) {
      ivar[j] = 1 / sqrtvar[j];
    }
    return areFinite(s);
  }

  private void steps7To9(double[] beta, double[][] out, Tile t) {
    // Step 7: xhat = xmu * ivar
    // Step 8: gammax = gamma * xhat
    // Step 9: out = gammax + beta
    for (int i = t.first(); i < t.end(); i++) {
      Rows.out(xmu[i], ivar, gamma, beta, out[i], t);
    }
  }

  /**
   * Steps 9 to 0.
   *
   * @param dout the derivative of the loss with respect to out, shape (N, D); not modified unless
   *     it shares rows with {@code dx}
   * @param gradients written: dx (N, D), where rows that are null are made, dgamma (D), dbeta (D)
   * @return whether every sum over the batch is finite. If not, dout holds a value that is NaN,
   *     infinite or too large. A dx that shares rows with dout is then untouched.
   */
  boolean backward(double[][] dout, BatchNormGradients gradients) {
    double[][] dx = gradients.dx();
    double[] dgamma = gradients.dgamma();
    double[] dbeta = gradients.dbeta();
    try (Walk walk = new Walk(grid, threads)) {
      return walk.run(
          s -> steps9To1(walk, s, dout, dgamma, dbeta),
          t -> step0(dout, dx, t),
          dx,
          Rows.areShared(dout, dx));
    }
  }

  private boolean steps9To1(Walk walk, Strip s, double[][] dout, double[] dgamma, double[] dbeta) {
    walk.forEachTile(
        s,
        t -> {
          Rows.addRows(dout, t, sums.of(t));
          Rows.addProducts(dout, xmu, t, products.of(t));
        });
    double[] sumDout = sums.total(s);
    double[] sumDoutXmu = products.total(s);
    for (int j = s.from(); j < s.to(); j++) {
      // Step 9: dbeta = Σ dout, dgammax = dout
      dbeta[j] = sumDout[j];
      // Step 8: dgamma = Σ dgammax * xhat, dxhat = dgammax * gamma
      dgamma[j] = sumDoutXmu[j] * ivar[j];
      // Step 7: divar = Σ dxhat * xmu, dxmu1 = dxhat * ivar
      divar[j] = sumDoutXmu[j] * gamma[j];
      // Step 6: dsqrtvar = -1 / sqrtvar² * divar = -ivar² * divar
      dsqrtvar[j] = -ivar[j] * ivar[j] * divar[j];
      // Step 5: dvar = 0.5 / sqrtvar * dsqrtvar = 0.5 * ivar * dsqrtvar
      dvar[j] = 0.5 * ivar[j] * dsqrtvar[j];
      // Step 4: dsq = dvar / N
      dsq[j] = dvar[j] / grid.n;
      // Step 3: dxmu2 = 2 * xmu * dsq, row by row in step0
      // Step 2: dx1 = dxmu1 + dxmu2, row by row in step0; dmu = -Σ dx1
      dmu[j] = -(gamma[j] * ivar[j]) * sumDout[j];
      // Step 1: dx2 = dmu / N
      dx2[j] = dmu[j] / grid.n;
    }
    return Rows.areFinite(dgamma, s.from(), s.to())
        && Rows.areFinite(dsq, s.from(), s.to())
        && Rows.areFinite(dx2, s.from(), s.to());
  }

  private void step0(double[][] dout, double[][] dx, Tile t) {
    // Step 0: dx = dx1 + dx2, with dxhat, dxmu1, dxmu2 and dx1 of steps 8, 7, 3 and 2 on the way
    for (int i = t.first(); i < t.end(); i++) {
      Rows.dx(dout[i], gamma, ivar, xmu[i], dsq, dx2, dx[i], t);
    }
  }

  /** Step 1, the mean in two parts. */
  private void mean(Walk walk, Strip s, double[][] x) {
    double[] shift = x[0];
    double[] ofHead = walk.sum(s, sums, (t, sum) -> Rows.addDifferences(x, shift, t.head(), sum));
    for (int j = s.from(); j < s.to(); j++) {
      mu[j] = shift[j] + ofHead[j] / grid.headRows;
    }
    double[] ofAll = walk.sum(s, sums, (t, sum) -> Rows.addDifferences(x, mu, t, sum));
    for (int j = s.from(); j < s.to(); j++) {
      double correction = ofAll[j] / grid.n;
      double nearest = mu[j] + correction;
      rest[j] =
          correction - (nearest - mu[j]); // exact unless |mu| < |correction|, then near enough
      mu[j] = nearest;
    }
  }

  private boolean areFinite(Strip s) {
    boolean finite = Rows.areFinite(var, s.from(), s.to());
    for (int j = s.from(); j < s.to(); j++) {
      finite &= Double.isFinite(gamma[j] * ivar[j]);
    }
    return finite;
  }

  /** Step 3, row i. */
  private double[] sq(int i) {
    return Rows.product(xmu[i], xmu[i]);
  }

  /** Step 7, row i. */
  private double[] xhat(int i) {
    return Rows.product(xmu[i], ivar);
  }

  /** The nodes of the last {@link #forward}, copied. */
  BatchNormGraph snapshot() {
    return new BatchNormGraph(
        mu.clone(),
        matrix(i -> xmu[i].clone()),
        matrix(this::sq),
        var.clone(),
        sqrtvar.clone(),
        ivar.clone(),
        matrix(this::xhat));
  }

  /**
   * The nodes of the last {@link #backward}, copied or made again.
   *
   * @param dout of that backward, shape (N, D); not modified
   * @param gradients the result of that backward; becomes part of the new record
   */
  BatchNormBackwardGraph backwardGraph(double[][] dout, BatchNormGradients gradients) {
    double[][] dgammax = matrix(i -> dout[i].clone());
    double[][] dxhat = matrix(i -> Rows.product(dgammax[i], gamma));
    double[][] dxmu1 = matrix(i -> Rows.product(dxhat[i], ivar));
    double[][] dxmu2 = matrix(i -> Rows.product(Rows.sum(xmu[i], xmu[i]), dsq)); // 2 * xmu * dsq
    double[][] dx1 = matrix(i -> Rows.sum(dxmu1[i], dxmu2[i]));
    return new BatchNormBackwardGraph(
        dgammax,
        dxhat,
        divar.clone(),
        dxmu1,
        dsqrtvar.clone(),
        dvar.clone(),
        matrix(i -> dsq.clone()),
        dxmu2,
        dx1,
        dmu.clone(),
        matrix(i -> dx2.clone()),
        gradients.dx(),
        gradients.dgamma(),
        gradients.dbeta());
  }

  private double[][] matrix(IntFunction<double[]> row) {
    return IntStream.range(0, grid.n).mapToObj(row).toArray(double[][]::new);
  }

  /**
   * Makes room for n rows. If memory runs out half-way, the arrays that have grown also serve a
   * smaller batch. The grid comes last, so the next call starts again.
   */
  private void reserve(int n) {
    if (grid != null && grid.n == n) {
      return;
    }
    Grid newGrid = new Grid(n, d);
    sums = sums.atLeast(newGrid.blocks(), d);
    products = products.atLeast(newGrid.blocks(), d);
    if (xmu.length < n) {
      double[][] longer = Arrays.copyOf(xmu, n); // the rows that are there stay
      for (int i = xmu.length; i < n; i++) {
        longer[i] = new double[d];
      }
      xmu = longer;
    }
    grid = newGrid;
  }
}
