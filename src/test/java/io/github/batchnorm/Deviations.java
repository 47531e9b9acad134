package io.github.batchnorm;

import static io.github.batchnorm.ExactColumn.distance;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/** How far the results of training on one column are from {@link ExactColumn}. */
final class Deviations {
  static final double GAMMA = 1.7;
  static final double BETA = -0.3;

  /** The rows of dx and out that are compared in a long column, beside the largest |xhat|. */
  private static final int ROWS = 500;

  final Map<Bound, Double> errors = new EnumMap<>(Bound.class);

  /** What the errors are measured by: see the class comment of the layer. */
  final Map<Bound, Double> scales = new EnumMap<>(Bound.class);

  final double sumDoutXhat; // Σ |dout * xhat|
  final double largestDxhatIvar; // the largest |dout * gamma * ivar|
  private final int n;

  Deviations(double[] x, double[] dout, double epsilon) {
    n = x.length;
    ExactColumn exact = new ExactColumn(x, dout, GAMMA, BETA, epsilon);
    BatchNormLayer layer =
        BatchNormLayer.builder(3)
            .gamma(new double[] {1, GAMMA, 1})
            .beta(new double[] {0, BETA, 0})
            .epsilon(epsilon)
            .build();
    double[] out = TestData.column(layer.forward(between(x)), 1);
    BatchNormGraph graph = layer.graph();
    double[] xhat = TestData.column(graph.xhat(), 1);
    BatchNormGradients gradients = layer.backward(between(dout));
    double[] dx = TestData.column(gradients.dx(), 1);
    int[] rows = rows(xhat);

    double mu = graph.mu()[1];
    double var = graph.var()[1];
    double sumDout = sum(n, i -> Math.abs(dout[i]));
    double dbeta = Math.abs(gradients.dbeta()[1]);
    double dgamma = Math.abs(gradients.dgamma()[1]);
    double scale = GAMMA * graph.ivar()[1];
    sumDoutXhat = sum(n, i -> Math.abs(dout[i] * xhat[i]));
    largestDxhatIvar = scale * max(n, i -> Math.abs(dout[i]));
    double scaleOfDgamma = sumDoutXhat + dbeta;
    double largestDx =
        scale
            * max(
                n,
                i ->
                    Math.abs(dout[i]) + (sumDout + dgamma + Math.abs(xhat[i]) * scaleOfDgamma) / n);

    double muBeyondRounding = Math.max(0, distance(mu, exact.mu) - Math.ulp(mu) / 2);
    put(Bound.MU, muBeyondRounding, Math.sqrt(var));
    put(Bound.VAR, distance(var, exact.var), var);
    put(Bound.OUT, max(rows, i -> distance(out[i], exact.out(i))), TestData.largest(out));
    put(Bound.DBETA, distance(gradients.dbeta()[1], exact.dbeta), sumDout);
    put(Bound.DGAMMA, distance(gradients.dgamma()[1], exact.dgamma), scaleOfDgamma);
    put(Bound.DX, max(rows, i -> distance(dx[i], exact.dx(i))), largestDx);
  }

  private static double[][] between(double[] column) {
    return Arrays.stream(column)
        .mapToObj(value -> new double[] {5, value, 1e3})
        .toArray(double[][]::new);
  }

  private void put(Bound bound, double error, double scale) {
    errors.put(bound, error);
    scales.put(bound, scale);
  }

  void isWithin(double tolerance, Bound bound, double scale) {
    assertThat(errors.get(bound))
        .as("%s of %d rows", bound, n)
        .isLessThanOrEqualTo(tolerance * scale);
  }

  void areWithinTheBounds() {
    scales.forEach((bound, scale) -> isWithin(bound.at(n), bound, scale));
  }

  /** The error as a share of what is promised. */
  double share(Bound bound) {
    return errors.get(bound) / (bound.at(n) * scales.get(bound));
  }

  static double sum(int n, IntToDoubleFunction term) {
    return IntStream.range(0, n).mapToDouble(term).sum();
  }

  private static double max(int n, IntToDoubleFunction term) {
    return IntStream.range(0, n).mapToDouble(term).max().orElseThrow();
  }

  private static double max(int[] rows, IntToDoubleFunction term) {
    return Arrays.stream(rows).mapToDouble(term).max().orElseThrow();
  }

  private static int[] rows(double[] xhat) {
    int n = xhat.length;
    double largest = TestData.largest(xhat);
    int every = Math.max(1, n / ROWS);
    return IntStream.range(0, n)
        .filter(i -> i % every == 0 || i == n - 1 || Math.abs(xhat[i]) == largest)
        .limit(3 * ROWS)
        .toArray();
  }
}
