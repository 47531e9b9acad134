package io.github.batchnorm;

import static io.github.batchnorm.TestData.combine;
import static io.github.batchnorm.TestData.rows;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/**
 * Kratzert's post line by line, every node an array of its own: slow, plain, and made without a
 * look at the library. With a {@link Mutant} one line of backward is wrong.
 */
final class NaiveGraph {
  /** The mistakes that people make in the backward pass. */
  enum Mutant {
    NONE,
    VARIANCE_PATH_DROPPED,
    VARIANCE_PATH_SIGN,
    FACTOR_HALF_LOST,
    DIVIDED_BY_N_MINUS_1,
    MEAN_PATH_DROPPED,
    GAMMA_MISSING
  }

  // forward
  final double[] mu; // (D)
  final double[][] xmu; // (N, D)
  final double[][] sq; // (N, D)
  final double[] var; // (D)
  final double[] sqrtvar; // (D)
  final double[] ivar; // (D)
  final double[][] xhat; // (N, D)
  final double[][] gammax; // (N, D)
  final double[][] out; // (N, D)

  // backward
  double[][] dgammax; // (N, D)
  double[] dbeta; // (D)
  double[] dgamma; // (D)
  double[][] dxhat; // (N, D)
  double[] divar; // (D)
  double[][] dxmu1; // (N, D)
  double[] dsqrtvar; // (D)
  double[] dvar; // (D)
  double[][] dsq; // (N, D)
  double[][] dxmu2; // (N, D)
  double[][] dx1; // (N, D)
  double[] dmu; // (D)
  double[][] dx2; // (N, D)
  double[][] dx; // (N, D)

  private final double[] gamma;

  NaiveGraph(double[][] x, double[] gamma, double[] beta, double eps) {
    int n = x.length;
    this.gamma = gamma;
    mu = map(sum(x), s -> s / n); // step 1
    xmu = combine(x, rows(n, mu), (a, b) -> a - b); // step 2
    sq = combine(xmu, xmu, (a, b) -> a * b); // step 3
    var = map(sum(sq), s -> s / n); // step 4
    sqrtvar = map(var, v -> Math.sqrt(v + eps)); // step 5
    ivar = map(sqrtvar, s -> 1 / s); // step 6
    xhat = combine(xmu, rows(n, ivar), (a, b) -> a * b); // step 7
    gammax = combine(rows(n, gamma), xhat, (a, b) -> a * b); // step 8
    out = combine(gammax, rows(n, beta), Double::sum); // step 9
  }

  NaiveGraph backward(double[][] dout, Mutant mutant) {
    int n = dout.length;
    // step 9
    dbeta = sum(dout);
    dgammax = dout;
    // step 8
    dgamma = sum(combine(dgammax, xhat, (a, b) -> a * b));
    double[] scale = mutant == Mutant.GAMMA_MISSING ? map(gamma, g -> 1) : gamma;
    dxhat = combine(dgammax, rows(n, scale), (a, b) -> a * b);
    // step 7
    divar = sum(combine(dxhat, xmu, (a, b) -> a * b));
    dxmu1 = combine(dxhat, rows(n, ivar), (a, b) -> a * b);
    // step 6
    double sign = mutant == Mutant.VARIANCE_PATH_SIGN ? 1 : -1;
    dsqrtvar = combine(divar, sqrtvar, (d, s) -> sign / (s * s) * d);
    // step 5
    double half = mutant == Mutant.FACTOR_HALF_LOST ? 1 : 0.5;
    dvar = combine(dsqrtvar, sqrtvar, (d, s) -> half / s * d);
    // step 4
    double count = mutant == Mutant.DIVIDED_BY_N_MINUS_1 ? n - 1 : n;
    dsq = rows(n, map(dvar, d -> d / count));
    // step 3
    double two = mutant == Mutant.VARIANCE_PATH_DROPPED ? 0 : 2;
    dxmu2 = combine(xmu, dsq, (a, b) -> two * a * b);
    // step 2
    dx1 = combine(dxmu1, dxmu2, Double::sum);
    dmu = map(sum(dx1), s -> mutant == Mutant.MEAN_PATH_DROPPED ? 0 : -s);
    // step 1
    dx2 = rows(n, map(dmu, d -> d / n));
    // step 0
    dx = combine(dx1, dx2, Double::sum);
    return this;
  }

  BatchNormGraph graph() {
    return new BatchNormGraph(mu, xmu, sq, var, sqrtvar, ivar, xhat);
  }

  BatchNormBackwardGraph backwardGraph() {
    return new BatchNormBackwardGraph(
        dgammax, dxhat, divar, dxmu1, dsqrtvar, dvar, dsq, dxmu2, dx1, dmu, dx2, dx, dgamma, dbeta);
  }

  private static double[] sum(double[][] values) {
    double[] sum = new double[values[0].length];
    Arrays.setAll(sum, j -> Arrays.stream(TestData.column(values, j)).sum());
    return sum;
  }

  private static double[] map(double[] values, DoubleUnaryOperator operator) {
    return Arrays.stream(values).map(operator).toArray();
  }
}
