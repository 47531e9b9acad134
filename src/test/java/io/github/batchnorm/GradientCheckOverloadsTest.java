package io.github.batchnorm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;

/** The overloads of check: lambdas and method references compile without a cast. */
class GradientCheckOverloadsTest {
  private static final double[][] X = {{0.5, -1.25, 3}, {2, 0.75, -0.5}};
  private static final double[][] ONES = {{1, 1, 1}, {1, 1, 1}};
  private static final double[] P = {0.5, -1.25, 3};
  private static final double[] ROW = {1, 1, 1};

  private static double[][] matrixOfMatrix(double[][] x) {
    return TestLayers.map(x, v -> v);
  }

  private static double[] vectorOfMatrix(double[][] x) {
    return TestLayers.columnSums(x);
  }

  private static double lossOfMatrix(double[][] x) {
    return Arrays.stream(vectorOfMatrix(x)).sum();
  }

  private static double[][] matrixOfVector(double[] p) {
    return new double[][] {p};
  }

  private static double[] vectorOfVector(double[] p) {
    return p.clone();
  }

  private static double lossOfVector(double[] p) {
    return Arrays.stream(p).sum();
  }

  /** Overloaded by the one below, as a layer's forward is. */
  private static double[][] forward(double[][] x) {
    return matrixOfMatrix(x);
  }

  private static double[][] forward(double[][] x, double[][] out) {
    return out;
  }

  @Test
  void take_lambdas_method_references_and_variables() {
    Function<double[][], double[][]> f = x -> x;
    ToDoubleFunction<double[]> loss = p -> p[0] + p[1] + p[2];
    List<GradientReport> reports =
        List.of(
            new GradientCheck().check(x -> x, X, ONES, ONES),
            new GradientCheck().check(x -> matrixOfMatrix(x), X, ONES, ONES),
            new GradientCheck().check(GradientCheckOverloadsTest::matrixOfMatrix, X, ONES, ONES),
            new GradientCheck().check(GradientCheckOverloadsTest::forward, X, ONES, ONES),
            new GradientCheck().check(f, X, ONES, ONES),
            new GradientCheck().check(x -> TestLayers.columnSums(x), X, ROW, ONES),
            new GradientCheck().check(GradientCheckOverloadsTest::vectorOfMatrix, X, ROW, ONES),
            new GradientCheck().check(p -> new double[][] {p}, P, new double[][] {ROW}, ROW),
            new GradientCheck()
                .check(GradientCheckOverloadsTest::matrixOfVector, P, new double[][] {ROW}, ROW),
            new GradientCheck().check(p -> p, P, ROW, ROW),
            new GradientCheck().check(GradientCheckOverloadsTest::vectorOfVector, P, ROW, ROW),
            new GradientCheck().check(double[]::clone, P, ROW, ROW),
            new GradientCheck().check(x -> lossOfMatrix(x), X, ONES),
            new GradientCheck().check(GradientCheckOverloadsTest::lossOfMatrix, X, ONES),
            new GradientCheck().check(p -> p[0] + p[1] + p[2], P, ROW),
            new GradientCheck().check(GradientCheckOverloadsTest::lossOfVector, P, ROW),
            new GradientCheck().check(loss, P, ROW));
    assertThat(reports).allMatch(GradientReport::passed);
    assertThat(reports).extracting(r -> r.entries().size()).containsOnly(3, 6);
  }
}
