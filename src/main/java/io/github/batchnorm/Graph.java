package io.github.batchnorm;

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
   *  x ──┬──────────────► (2) xmu ──┬───────────────────────────► (7) xhat ─► (8) gammax ─► (9) out
   *      │                 ▲        │                               ▲           ▲             ▲
   *      └─► (1) mu ───────┘        └─► (3) sq ─► (4) var ─►        │           gamma         beta
   *                                     (5) sqrtvar ─► (6) ivar ────┘
   *
   * Backward, the arrows turn round. Two branches meet in xmu (from steps 7 and 3) and in x (from
   * steps 2 and 1): there the derivatives add.
   *
   * Kept, because backward needs it: xmu, ivar and a copy of gamma. Kept, because it is the point of
   * this library to show it: mu, sq, var, sqrtvar and xhat. In memory: 3 matrices (N, D), reused
   * from batch to batch while the shape stays the same.
   *
   * One departure from the post, in steps 1 and 2. A mean of 1e9 in a double is off by up to 6e-8,
   * and xmu = x - mu would inherit that error whole. The mean is therefore kept in two parts,
   * mu = shift + rest, where shift is the first row and rest = Σ (x - shift) / N, and
   * xmu = (x - shift) - rest. The first difference is exact or nearly so wherever the mean is large
   * beside the spread, and a constant feature gives xmu = 0 exactly.
   */

  private final int d;
  private int n;

  // forward; what has a bracket is a node of the post, by its step
  final double[] shift; // (D) the first row of x
  final double[] rest; // (D) mu - shift
  final double[] mu; // (D) step 1
  double[][] xmu = {}; // (N, D) step 2
  double[][] sq = {}; // (N, D) step 3
  final double[] var; // (D) step 4, population variance (divides by N)
  final double[] sqrtvar; // (D) step 5
  final double[] ivar; // (D) step 6
  double[][] xhat = {}; // (N, D) step 7
  final double[] gamma; // (D) as it was in this forward

  // backward, the nodes that are one value per feature
  final double[] divar; // (D) step 7
  final double[] dsqrtvar; // (D) step 6
  final double[] dvar; // (D) step 5
  final double[] dsq; // (D) step 4, the same in every row
  final double[] dmu; // (D) step 2
  final double[] dx2; // (D) step 1, the same in every row

  Graph(int d) {
    this.d = d;
    shift = new double[d];
    rest = new double[d];
    mu = new double[d];
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
    return n;
  }

  /**
   * Steps 1 to 9.
   *
   * @param x the mini-batch, shape (N, D); not modified unless it is {@code out}
   * @param gamma the scale, shape (D); copied
   * @param beta the shift, shape (D); not modified
   * @param out written, shape (N, D): {@code gamma * xhat + beta}; may be {@code x}
   * @return false, with {@code out} untouched, if N * var is not finite: a value of x is not, or
   *     the values are too far apart
   */
  boolean forward(double[][] x, double[] gamma, double[] beta, double epsilon, double[][] out) {
    reserve(x.length);
    System.arraycopy(gamma, 0, this.gamma, 0, d);

    // Step 1: mu = Σ x / N, as shift + rest
    System.arraycopy(x[0], 0, shift, 0, d);
    Arrays.fill(rest, 0);
    for (int i = 0; i < n; i++) {
      Rows.addShifted(x[i], shift, rest);
    }
    Columns.divide(rest, n);
    Columns.add(shift, rest, mu);

    // Step 2: xmu = x - mu. Step 3: sq = xmu². Step 4: var = Σ sq / N
    Arrays.fill(var, 0);
    for (int i = 0; i < n; i++) {
      Rows.subtractMean(x[i], shift, rest, xmu[i]);
      Rows.square(xmu[i], sq[i]);
      Rows.add(sq[i], var);
    }
    if (!Columns.areFinite(var)) {
      return false;
    }
    Columns.divide(var, n);

    // Step 5: sqrtvar = √(var + ε). Step 6: ivar = 1 / sqrtvar
    Columns.sqrt(var, epsilon, sqrtvar);
    Columns.invert(sqrtvar, ivar);

    // Step 7: xhat = xmu * ivar. Steps 8 and 9: out = gamma * xhat + beta
    for (int i = 0; i < n; i++) {
      Rows.normalize(xmu[i], ivar, xhat[i]);
      Rows.scaleAndShift(xhat[i], gamma, beta, out[i]);
    }
    return true;
  }

  /**
   * Steps 9 to 0.
   *
   * @param dout the derivative of the loss by out, shape (N, D); not modified unless it is {@code
   *     dx}
   * @param dx written, shape (N, D); may be {@code dout}
   * @param dgamma written, shape (D)
   * @param dbeta written, shape (D)
   * @return false, with {@code dx} untouched, if a sum over the batch is not finite: a value of
   *     dout is not, or the values are too large
   */
  boolean backward(double[][] dout, double[][] dx, double[] dgamma, double[] dbeta) {
    // Step 9, out = gammax + beta: dgammax = dout, dbeta = Σ dout.
    // Steps 8 and 7 need dgamma = Σ dout * xhat and divar = Σ dout * gamma * xmu: up to a factor
    // per
    // feature both are Σ dout * xmu, so one sum serves the two.
    Arrays.fill(dbeta, 0);
    Arrays.fill(divar, 0);
    for (int i = 0; i < n; i++) {
      Rows.add(dout[i], dbeta);
      Rows.addProduct(dout[i], xmu[i], divar);
    }
    for (int j = 0; j < d; j++) {
      // Step 8, gammax = gamma * xhat: dgamma = Σ dgammax * xhat, dxhat = dgammax * gamma
      dgamma[j] = divar[j] * ivar[j];
      // Step 7, xhat = xmu * ivar: divar = Σ dxhat * xmu, dxmu1 = dxhat * ivar
      divar[j] *= gamma[j];
      // Step 6, ivar = 1 / sqrtvar
      dsqrtvar[j] = -ivar[j] * ivar[j] * divar[j];
      // Step 5, sqrtvar = √(var + ε)
      dvar[j] = 0.5 * ivar[j] * dsqrtvar[j];
      // Step 4, var = Σ sq / N
      dsq[j] = dvar[j] / n;
      // Step 3, sq = xmu²: dxmu2 = 2 * xmu * dsq
      // Step 2, xmu = x - mu: dx1 = dxmu1 + dxmu2, dmu = -Σ dx1, where Σ dxmu2 = 0 because Σ xmu =
      // 0
      dmu[j] = -dbeta[j] * gamma[j] * ivar[j];
      // Step 1, mu = Σ x / N
      dx2[j] = dmu[j] / n;
    }
    if (!Columns.areFinite(dgamma) || !Columns.areFinite(dsq) || !Columns.areFinite(dx2)) {
      return false;
    }

    // Step 0, x feeds steps 1 and 2: dx = dx1 + dx2, with the matrices of steps 8, 7, 3 and 2 on
    // the
    // way
    for (int i = 0; i < n; i++) {
      Rows.dx(dout[i], gamma, ivar, xmu[i], dsq, dx2, dx[i]);
    }
    return true;
  }

  /** The nodes of the last {@link #forward}, copied. */
  BatchNormGraph snapshot() {
    return new BatchNormGraph(
        mu.clone(), copy(xmu), copy(sq), var.clone(), sqrtvar.clone(), ivar.clone(), copy(xhat));
  }

  private void reserve(int rows) {
    n = rows;
    if (xmu.length != n) {
      xmu = new double[n][d];
      sq = new double[n][d];
      xhat = new double[n][d];
    }
  }

  private static double[][] copy(double[][] rows) {
    double[][] copy = new double[rows.length][];
    Arrays.setAll(copy, i -> rows[i].clone());
    return copy;
  }
}
