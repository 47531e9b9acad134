package io.github.batchnorm;

import io.github.batchnorm.Grid.Strip;
import io.github.batchnorm.Grid.Tile;
import java.util.Arrays;

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
   * One departure from the post, in steps 1 and 2. A mean of 1e9 in a double is off by up to 6e-8,
   * and xmu = x - mu would inherit that error whole. So the mean has two parts: mu, and rest, which
   * is what mu lacks. It is taken as shift + Σ (x - shift) / N, where shift is a value of the feature
   * (the median of the first, the middle and the last row, so that it is not one far from the rest):
   * those differences are small, and exact or nearly so, wherever the mean is large beside the
   * spread; the two summands make mu and rest without loss. Then xmu = (x - mu) - rest. A constant
   * feature gives xmu = 0 exactly.
   *
   * The loops over the matrix take centered = x - mu; what rest changes is the same in all rows and
   * goes into factors per feature, once per column in place of once per value:
   *
   *   var  = Σ xmu² / N             = Σ centered² / N - rest²
   *   out  = gamma * xhat + beta    = scale * centered + offset
   *   Σ dout * xmu                  = Σ dout * centered - rest * Σ dout
   *   dx1  = dxmu1 + dxmu2          = scale * dout + slope * centered - slope * rest
   *
   * with scale = gamma * ivar, offset = beta - scale * rest, slope = 2 * dsq. |rest| is at most half
   * a unit in the last place of mu, and centered a multiple of about that unit: rest² is at most half
   * of Σ centered² / N, so that nothing cancels.
   *
   * In memory: with the cache one matrix (N, D), centered, reused from batch to batch. xmu, sq and
   * xhat follow from it to the bit, and backward needs none of them beside it: they are made when
   * snapshot asks, because writing all three in every forward nearly doubled its time at 256 x 1024.
   * Without the cache the input is kept in its place: its rows less mu are what the cache holds, to
   * the bit. A matrix of several tiles takes the sums of each tile beside that: four values per
   * feature for at least 32 rows.
   */

  private final int d;
  private final boolean cached;
  private final boolean parallel;
  private Grid grid;
  private double[][] x; // (N, D) of the caller, only without the cache

  // forward; a number is the step of the post that makes the node
  private double[][] centered = {}; // (N, D) 2, but for rest
  private final double[] shift; // (D) between three values of x
  private final Moments moments; // (D) 1 to 4
  private Moments[] momentsOfTiles = {}; // (blocks, D), if there are several
  final double[] mu; // (D) 1
  final double[] rest; // (D) 1, the mean less mu
  final double[] var; // (D) 4, population variance (divides by N)
  final double[] sqrtvar; // (D) 5
  final double[] ivar; // (D) 6
  final double[] gamma; // (D) as it was in this forward
  final double[] scale; // (D) gamma * ivar
  final double[] offset; // (D) beta - scale * rest

  // backward, the nodes that are one value per feature
  final double[] divar; // (D) 7
  final double[] dsqrtvar; // (D) 6
  final double[] dvar; // (D) 5
  final double[] dsq; // (D) 4, the same in every row
  final double[] dmu; // (D) 2
  final double[] dx2; // (D) 1, the same in every row
  private final double[] slope; // (D) 2 * dsq
  private final double[] dx2LessRest; // (D) dx2 - slope * rest

  Graph(int d, boolean cached, boolean parallel) {
    this.d = d;
    this.cached = cached;
    this.parallel = parallel;
    shift = new double[d];
    moments = new Moments(d);
    mu = moments.mu();
    rest = moments.rest();
    var = new double[d];
    sqrtvar = new double[d];
    ivar = new double[d];
    gamma = new double[d];
    scale = new double[d];
    offset = new double[d];
    divar = new double[d];
    dsqrtvar = new double[d];
    dvar = new double[d];
    dsq = new double[d];
    dmu = new double[d];
    dx2 = new double[d];
    slope = new double[d];
    dx2LessRest = new double[d];
  }

  /** The x of the last {@link #forward}, which is kept only without the cache. */
  double[][] input() {
    return x;
  }

  /** Lets go of the x of the last {@link #forward}, which a caller may need the memory of. */
  void forget() {
    x = null;
  }

  /** The number of rows of the last {@link #forward}. */
  int rows() {
    return grid.n;
  }

  /**
   * Steps 1 to 9.
   *
   * @param x the mini-batch, shape (N, D); not modified unless it is {@code out}
   * @param gamma the scale, shape (D); copied
   * @param beta the shift, shape (D); not modified
   * @param out written, shape (N, D): {@code gamma * xhat + beta}; may be {@code x} with the cache
   * @return false, with x let go, and untouched if it is {@code out}, if sqrtvar, scale or offset
   *     is not finite: a value of x is not, or is too large for its sum, or gamma for ivar
   */
  boolean forward(double[][] x, double[] gamma, double[] beta, double epsilon, double[][] out) {
    reserve(x);
    System.arraycopy(gamma, 0, this.gamma, 0, d);
    Rows.median(x[0], x[grid.n / 2], x[grid.n - 1], shift);
    boolean finite =
        grid.walk(
            strip -> forwardStatistics(x, beta, epsilon, strip),
            strip -> forwardOutput(x, out, strip),
            out == x);
    if (!finite) {
      this.x = null;
    }
    return finite;
  }

  private boolean forwardStatistics(double[][] x, double[] beta, double epsilon, Strip s) {
    int n = grid.n;
    // Step 1: mu = Σ x / N. Step 2: xmu = x - mu. Step 3: sq = xmu². Step 4: var = Σ sq / N
    if (grid.blocks() == 1) {
      grid.forEachTile(s, tile -> moments.of(x, shift, tile));
    } else {
      grid.forEachTile(s, tile -> momentsOfTiles[tile.block()].of(x, shift, tile));
      moments.of(momentsOfTiles, shift, s, n);
    }
    for (int j = s.from(); j < s.to(); j++) {
      var[j] = moments.sq()[j] / n;
    }
    // Step 5: sqrtvar = √(var + ε)
    for (int j = s.from(); j < s.to(); j++) {
      sqrtvar[j] = Math.sqrt(var[j] + epsilon);
    }
    // Step 6: ivar = 1 / sqrtvar
    for (int j = s.from(); j < s.to(); j++) {
      ivar[j] = 1 / sqrtvar[j];
    }
    for (int j = s.from(); j < s.to(); j++) {
      scale[j] = gamma[j] * ivar[j];
    }
    for (int j = s.from(); j < s.to(); j++) {
      offset[j] = beta[j] - scale[j] * rest[j];
    }
    return Columns.areFinite(sqrtvar, s.from(), s.to())
        && Columns.areFinite(offset, s.from(), s.to());
  }

  private void forwardOutput(double[][] x, double[][] out, Strip s) {
    // Step 7: xhat = xmu * ivar. Step 8: gammax = gamma * xhat. Step 9: out = gammax + beta
    grid.forEachTile(s, cached ? t -> outAndCache(x, out, t) : t -> out(x, out, t));
  }

  private void out(double[][] x, double[][] out, Tile t) {
    for (int i = t.first(); i < t.end(); i++) {
      Rows.scaleAndShift(x[i], mu, scale, offset, out[i], t.from(), t.to());
    }
  }

  private void outAndCache(double[][] x, double[][] out, Tile t) {
    for (int i = t.first(); i < t.end(); i++) {
      Rows.subtract(x[i], mu, centered[i], t.from(), t.to());
      Rows.scaleAndShift(centered[i], scale, offset, out[i], t.from(), t.to());
    }
  }

  /**
   * Steps 9 to 0.
   *
   * @param dout the derivative of the loss by out, shape (N, D); not modified unless it is {@code
   *     dx}
   * @param dx written, shape (N, D); may be {@code dout}
   * @param dgamma written, shape (D)
   * @param dbeta written, shape (D)
   * @return false, with {@code dout} untouched even if it is {@code dx}, if a sum over the batch is
   *     not finite: a value of dout is not, or the values are too large
   */
  boolean backward(double[][] dout, double[][] dx, double[] dgamma, double[] dbeta) {
    return grid.walk(
        strip -> backwardStatistics(dout, dgamma, dbeta, strip),
        strip -> grid.forEachTile(strip, tile -> dx(dout, dx, tile)),
        dx == dout);
  }

  private boolean backwardStatistics(double[][] dout, double[] dgamma, double[] dbeta, Strip s) {
    int n = grid.n;
    // Step 9, out = gammax + beta: dgammax = dout, dbeta = Σ dout.
    // Steps 8 and 7 need dgamma = Σ dout * xhat and divar = Σ dout * gamma * xmu: both are
    // Σ dout * xmu but for a factor per feature, so one sum serves the two.
    grid.forEachTile(s, tile -> addDout(dout, tile, sumsOf(tile, dbeta), productsOf(tile, divar)));
    for (int block = 1; block < grid.blocks(); block++) {
      Rows.add(momentsOfTiles[block].sums(), dbeta, s.from(), s.to());
      Rows.add(momentsOfTiles[block].sq(), divar, s.from(), s.to());
    }
    for (int j = s.from(); j < s.to(); j++) {
      double doutxmu = divar[j] - rest[j] * dbeta[j];
      // Step 8, gammax = gamma * xhat: dgamma = Σ dgammax * xhat, dxhat = dgammax * gamma
      dgamma[j] = doutxmu * ivar[j];
      // Step 7, xhat = xmu * ivar: divar = Σ dxhat * xmu, dxmu1 = dxhat * ivar
      divar[j] = doutxmu * gamma[j];
      // Step 6, ivar = 1 / sqrtvar
      dsqrtvar[j] = -ivar[j] * (ivar[j] * divar[j]); // ivar² may overflow
      // Step 5, sqrtvar = √(var + ε)
      dvar[j] = 0.5 * ivar[j] * dsqrtvar[j];
      // Step 4, var = Σ sq / N
      dsq[j] = dvar[j] / n;
      // Step 3, sq = xmu²: dxmu2 = 2 * xmu * dsq
      slope[j] = 2 * dsq[j];
      // Step 2, xmu = x - mu: dx1 = dxmu1 + dxmu2, dmu = -Σ dx1. Σ xmu = 0, so Σ dxmu2 = 0
      dmu[j] = -dbeta[j] * scale[j];
      // Step 1, mu = Σ x / N
      dx2[j] = dmu[j] / n;
      dx2LessRest[j] = dx2[j] - slope[j] * rest[j];
    }
    return Columns.areFinite(dgamma, s.from(), s.to())
        && Columns.areFinite(dsq, s.from(), s.to())
        && Columns.areFinite(dx2, s.from(), s.to());
  }

  /** Where the sums of a tile go: into the result, or what the moments need no longer. */
  private double[] sumsOf(Tile t, double[] result) {
    return t.block() == 0 ? result : momentsOfTiles[t.block()].sums();
  }

  private double[] productsOf(Tile t, double[] result) {
    return t.block() == 0 ? result : momentsOfTiles[t.block()].sq();
  }

  private void addDout(double[][] dout, Tile t, double[] sums, double[] products) {
    Rows.clear(sums, t.from(), t.to());
    Rows.clear(products, t.from(), t.to());
    Rows.addRows(dout, t, sums);
    if (cached) {
      Rows.addProducts(dout, centered, t, products);
    } else {
      Rows.addProducts(dout, x, mu, t, products);
    }
  }

  private void dx(double[][] dout, double[][] dx, Tile t) {
    // Step 0, x feeds steps 1 and 2: dx = dx1 + dx2, with dxmu1, dxmu2 and dx1 on the way
    for (int i = t.first(); i < t.end(); i++) {
      if (cached) {
        Rows.dx(dout[i], scale, centered[i], slope, dx2LessRest, dx[i], t.from(), t.to());
      } else {
        Rows.dx(dout[i], scale, x[i], mu, slope, dx2LessRest, dx[i], t.from(), t.to());
      }
    }
  }

  /** The nodes of the last {@link #forward}, copied. */
  BatchNormGraph snapshot() {
    int n = grid.n;
    double[][] xmu = new double[n][d];
    double[][] sq = new double[n][d];
    double[][] xhat = new double[n][d];
    for (int i = 0; i < n; i++) {
      xmu(i, xmu[i]);
      Rows.multiply(xmu[i], xmu[i], sq[i], 0, d);
      Rows.multiply(xmu[i], ivar, xhat[i], 0, d);
    }
    return new BatchNormGraph(
        mu.clone(), xmu, sq, var.clone(), sqrtvar.clone(), ivar.clone(), xhat);
  }

  /**
   * The nodes of the last {@link #backward}, copied or made again.
   *
   * @param dout of that backward, shape (N, D); not modified
   * @param gradients what it computed; become part of the result
   */
  BatchNormTrace trace(double[][] dout, BatchNormGradients gradients) {
    int n = grid.n;
    double[][] dgammax = new double[n][];
    double[][] dxhat = new double[n][d];
    double[][] dxmu1 = new double[n][d];
    double[][] dsq = new double[n][];
    double[][] dxmu2 = new double[n][d];
    double[][] dx1 = new double[n][];
    double[][] dx2 = new double[n][];
    for (int i = 0; i < n; i++) {
      dgammax[i] = dout[i].clone();
      Rows.multiply(dgammax[i], gamma, dxhat[i], 0, d);
      Rows.multiply(dxhat[i], ivar, dxmu1[i], 0, d);
      dsq[i] = this.dsq.clone();
      xmu(i, dxmu2[i]);
      Rows.multiply(dxmu2[i], slope, dxmu2[i], 0, d);
      dx1[i] = dxmu1[i].clone();
      Rows.add(dxmu2[i], dx1[i], 0, d);
      dx2[i] = this.dx2.clone();
    }
    return new BatchNormTrace(
        dgammax,
        dxhat,
        divar.clone(),
        dxmu1,
        dsqrtvar.clone(),
        dvar.clone(),
        dsq,
        dxmu2,
        dx1,
        dmu.clone(),
        dx2,
        gradients.dx(),
        gradients.dgamma(),
        gradients.dbeta());
  }

  /** Step 2 for row i. */
  private void xmu(int i, double[] xmu) {
    if (cached) {
      Rows.subtract(centered[i], rest, xmu, 0, d);
    } else {
      Rows.subtract(x[i], mu, xmu, 0, d);
      Rows.subtract(xmu, rest, xmu, 0, d);
    }
  }

  private void reserve(double[][] x) {
    int n = x.length;
    this.x = cached ? null : x;
    if (grid != null && grid.n == n) {
      return;
    }
    grid = null; // until all is there: memory may run out below
    Grid newGrid = new Grid(n, d, parallel);
    int blocks = newGrid.blocks();
    if (blocks > 1 && momentsOfTiles.length < blocks) {
      momentsOfTiles = new Moments[blocks];
      Arrays.setAll(momentsOfTiles, block -> new Moments(d));
    }
    if (cached && centered.length < n) {
      centered = new double[n][d];
    }
    grid = newGrid;
  }
}
