package io.github.batchnorm;

import static io.github.batchnorm.TestData.assertClose;
import static io.github.batchnorm.TestData.combine;
import static io.github.batchnorm.TestData.largest;
import static io.github.batchnorm.TestData.rows;

import java.util.Arrays;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Every node on its own against two oracles: the naive graph and, for a derivative, central
 * differences on the part of the graph behind the node. {@link LiteralTest} has the formulas.
 */
@DisplayName("Nodes (7 x 5, seed 20160212)")
class NodesTest {
  private static final int N = 7;
  private static final double EPS = 1e-3;
  private static final Problem P = Problem.of(N, 5, 20160212);
  private static final NaiveGraph NAIVE = naive(P.x());

  private final BatchNormLayer layer = P.builder().epsilon(EPS).build();
  private final double[][] out = layer.forward(P.x());
  private final BatchNormBackwardGraph backwardGraph = layer.backwardGraph(P.dout());

  private static NaiveGraph naive(double[][] x) {
    return new NaiveGraph(x, P.gamma(), P.beta(), EPS).backward(P.dout(), NaiveGraph.Mutant.NONE);
  }

  @Test
  void of_forward_agree_with_the_naive_graph() {
    Snapshot.assertClose(layer.graph(), NAIVE.graph(), 1e-15);
    assertClose(out, NAIVE.out, 1e-15);
  }

  @Test
  void of_backward_agree_with_the_naive_graph() {
    Snapshot.assertClose(backwardGraph, NAIVE.backwardGraph(), 1e-14);
  }

  /** The loss is {@code Σ dout * out}, as a function of the node alone. */
  @TestFactory
  Stream<DynamicTest> of_backward_agree_with_central_differences() {
    BatchNormBackwardGraph d = backwardGraph;
    return Stream.of(
        test("dgammax", d.dgammax(), NAIVE.gammax, gammax -> plus(gammax, P.beta())),
        test("dbeta", d.dbeta(), P.beta(), beta -> plus(NAIVE.gammax, beta)),
        test("dgamma", d.dgamma(), P.gamma(), gamma -> times(NAIVE.xhat, gamma)),
        test("dxhat", d.dxhat(), NAIVE.xhat, xhat -> outOfXhat(xhat)),
        test("divar", d.divar(), NAIVE.ivar, ivar -> outOfIvar(ivar, NAIVE.xmu)),
        test("dxmu1", d.dxmu1(), NAIVE.xmu, xmu -> outOfIvar(NAIVE.ivar, xmu)),
        test("dsqrtvar", d.dsqrtvar(), NAIVE.sqrtvar, sqrtvar -> outOfSqrtvar(sqrtvar, NAIVE.xmu)),
        test("dvar", d.dvar(), NAIVE.var, var -> outOfVar(var, NAIVE.xmu)),
        test("dsq", d.dsq(), NAIVE.sq, sq -> outOfSq(sq, NAIVE.xmu)),
        test("dxmu2", d.dxmu2(), NAIVE.xmu, xmu -> outOfSq(squares(xmu), NAIVE.xmu)),
        test("dx1", d.dx1(), NAIVE.xmu, xmu -> outOfSq(squares(xmu), xmu)),
        test("dmu", d.dmu(), NAIVE.mu, mu -> outOfMu(mu)),
        test("dx2", d.dx2(), P.x(), x -> outOfMu(naive(x).mu)),
        test("dx", d.dx(), P.x(), x -> naive(x).out));
  }

  private static DynamicTest test(
      String name, double[][] derivative, double[][] node, UnaryOperator<double[][]> out) {
    double[] spread = new double[P.d()];
    Arrays.setAll(spread, j -> largest(TestData.column(node, j)));
    return DynamicTest.dynamicTest(
        name,
        () ->
            assertClose(
                derivative, CentralDifferences.gradient(out, node, P.dout(), spread), 1e-8));
  }

  private static DynamicTest test(
      String name, double[] derivative, double[] node, Function<double[], double[][]> out) {
    return test(name, rows(1, derivative), rows(1, node), matrix -> out.apply(matrix[0]));
  }

  private static double[][] plus(double[][] matrix, double[] row) {
    return combine(matrix, rows(N, row), Double::sum);
  }

  private static double[][] times(double[][] matrix, double[] row) {
    return combine(matrix, rows(N, row), (a, b) -> a * b);
  }

  private static double[][] squares(double[][] xmu) {
    return combine(xmu, xmu, (a, b) -> a * b);
  }

  private static double[][] outOfXhat(double[][] xhat) {
    return plus(times(xhat, P.gamma()), P.beta());
  }

  private static double[][] outOfIvar(double[] ivar, double[][] xmu) {
    return outOfXhat(times(xmu, ivar));
  }

  private static double[][] outOfSqrtvar(double[] sqrtvar, double[][] xmu) {
    return outOfIvar(Arrays.stream(sqrtvar).map(s -> 1 / s).toArray(), xmu);
  }

  private static double[][] outOfVar(double[] var, double[][] xmu) {
    return outOfSqrtvar(Arrays.stream(var).map(v -> Math.sqrt(v + EPS)).toArray(), xmu);
  }

  private static double[][] outOfSq(double[][] sq, double[][] xmu) {
    double[] var = new double[P.d()];
    Arrays.setAll(var, j -> Arrays.stream(TestData.column(sq, j)).average().getAsDouble());
    return outOfVar(var, xmu);
  }

  private static double[][] outOfMu(double[] mu) {
    double[][] xmu = combine(P.x(), rows(N, mu), (a, b) -> a - b);
    return outOfSq(squares(xmu), xmu);
  }
}
