package io.github.batchnorm;

import static io.github.batchnorm.TestData.assertClose;
import static io.github.batchnorm.TestData.combine;
import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestData.input;
import static io.github.batchnorm.TestData.largest;
import static io.github.batchnorm.TestData.rows;

import java.util.Arrays;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Every node of the graph on its own, on a seeded 7 x 5 problem. */
@DisplayName("Nodes (7 x 5, seed 20160212)")
class NodesTest {
  private static final int N = 7;
  private static final int D = 5;
  private static final double EPS = 1e-3;
  private static final Random RANDOM = new Random(20160212);
  private static final double[][] X = input(RANDOM, N, D);
  private static final double[][] DOUT = gaussian(RANDOM, N, D);
  private static final double[] GAMMA = gaussian(RANDOM, D);
  private static final double[] BETA = gaussian(RANDOM, D);

  private final BatchNormLayer layer =
      BatchNormLayer.builder(D).gamma(GAMMA).beta(BETA).epsilon(EPS).build();
  private final double[][] out = layer.forward(X);

  /** Each node against its definition, from the nodes before it. */
  @Nested
  class Forward {
    private final BatchNormGraph nodes = layer.graph();

    private static double[] mean(double[][] values) {
      double[] mean = new double[D];
      Arrays.setAll(mean, j -> Arrays.stream(TestData.column(values, j)).average().getAsDouble());
      return mean;
    }

    @Test
    void mu_is_the_mean_of_x() {
      assertClose(nodes.mu(), mean(X), 1e-15);
    }

    @Test
    void xmu_is_x_minus_mu() {
      assertClose(nodes.xmu(), combine(X, rows(N, nodes.mu()), (a, b) -> a - b), 1e-15);
    }

    @Test
    void sq_is_the_square_of_xmu() {
      assertClose(nodes.sq(), combine(nodes.xmu(), nodes.xmu(), (a, b) -> a * b), 0);
    }

    @Test
    void var_is_the_mean_of_sq() {
      assertClose(nodes.var(), mean(nodes.sq()), 1e-15);
    }

    @Test
    void sqrtvar_is_the_root_of_var_plus_epsilon() {
      assertClose(
          nodes.sqrtvar(), Arrays.stream(nodes.var()).map(v -> Math.sqrt(v + EPS)).toArray(), 0);
    }

    @Test
    void ivar_is_the_inverse_of_sqrtvar() {
      assertClose(nodes.ivar(), Arrays.stream(nodes.sqrtvar()).map(s -> 1 / s).toArray(), 0);
    }

    @Test
    void xhat_is_xmu_times_ivar() {
      assertClose(nodes.xhat(), combine(nodes.xmu(), rows(N, nodes.ivar()), (a, b) -> a * b), 0);
    }

    @Test
    void out_is_gamma_times_xhat_plus_beta() {
      double[][] gammax = combine(rows(N, GAMMA), nodes.xhat(), (a, b) -> a * b);
      assertClose(out, combine(gammax, rows(N, BETA), Double::sum), 0);
    }
  }

  /**
   * Each derivative against central differences on the part of the graph behind its node: the loss
   * {@code Σ dout * out} as a function of that node alone.
   */
  @Nested
  class Backward {
    private final BatchNormBackwardGraph backwardGraph = layer.backwardGraph(DOUT);
    private final NaiveGraph nodes = new NaiveGraph(X, GAMMA, BETA, EPS);
    private final NaiveGraph naive =
        new NaiveGraph(X, GAMMA, BETA, EPS).backward(DOUT, NaiveGraph.Mutant.NONE);

    private double[][] outOfXhat(double[][] xhat) {
      double[][] gammax = combine(rows(N, GAMMA), xhat, (a, b) -> a * b);
      return combine(gammax, rows(N, BETA), Double::sum);
    }

    private double[][] outOfIvar(double[] ivar, double[][] xmu) {
      return outOfXhat(combine(xmu, rows(N, ivar), (a, b) -> a * b));
    }

    private double[][] outOfVar(double[] var, double[][] xmu) {
      return outOfIvar(Arrays.stream(var).map(v -> 1 / Math.sqrt(v + EPS)).toArray(), xmu);
    }

    private double[][] outOfSq(double[][] sq, double[][] xmu) {
      double[] var = new double[D];
      Arrays.setAll(var, j -> Arrays.stream(TestData.column(sq, j)).average().getAsDouble());
      return outOfVar(var, xmu);
    }

    private double[][] outOfXmu(double[][] xmu) {
      return outOfSq(combine(xmu, xmu, (a, b) -> a * b), xmu);
    }

    private double[][] outOfMu(double[] mu) {
      return outOfXmu(combine(X, rows(N, mu), (a, b) -> a - b));
    }

    private static double[][] numeric(UnaryOperator<double[][]> f, double[][] node) {
      double[] spread = new double[D];
      Arrays.setAll(spread, j -> largest(TestData.column(node, j)));
      return CentralDifferences.gradient(f, node, DOUT, spread);
    }

    @Test
    void dgammax() {
      UnaryOperator<double[][]> f = gammax -> combine(gammax, rows(N, BETA), Double::sum);
      assertClose(backwardGraph.dgammax(), numeric(f, nodes.gammax), 1e-8);
    }

    @Test
    void dbeta() {
      UnaryOperator<double[][]> f = beta -> combine(nodes.gammax, rows(N, beta[0]), Double::sum);
      assertClose(rows(1, backwardGraph.dbeta()), numeric(f, rows(1, BETA)), 1e-8);
    }

    @Test
    void dgamma() {
      UnaryOperator<double[][]> f =
          gamma -> combine(nodes.xhat, rows(N, gamma[0]), (a, b) -> a * b);
      assertClose(rows(1, backwardGraph.dgamma()), numeric(f, rows(1, GAMMA)), 1e-8);
    }

    @Test
    void dxhat() {
      assertClose(backwardGraph.dxhat(), numeric(this::outOfXhat, nodes.xhat), 1e-8);
    }

    @Test
    void divar() {
      assertClose(
          rows(1, backwardGraph.divar()),
          numeric(v -> outOfIvar(v[0], nodes.xmu), rows(1, nodes.ivar)),
          1e-8);
    }

    @Test
    void dsqrtvar() {
      UnaryOperator<double[][]> f =
          s -> outOfIvar(Arrays.stream(s[0]).map(v -> 1 / v).toArray(), nodes.xmu);
      assertClose(rows(1, backwardGraph.dsqrtvar()), numeric(f, rows(1, nodes.sqrtvar)), 1e-8);
    }

    @Test
    void dvar() {
      assertClose(
          rows(1, backwardGraph.dvar()),
          numeric(v -> outOfVar(v[0], nodes.xmu), rows(1, nodes.var)),
          1e-8);
    }

    @Test
    void dsq() {
      assertClose(backwardGraph.dsq(), numeric(s -> outOfSq(s, nodes.xmu), nodes.sq), 1e-8);
    }

    @Test
    void dxmu1() {
      UnaryOperator<double[][]> f = xmu -> outOfIvar(nodes.ivar, xmu);
      assertClose(backwardGraph.dxmu1(), numeric(f, nodes.xmu), 1e-8);
    }

    @Test
    void dxmu2() {
      UnaryOperator<double[][]> f = xmu -> outOfSq(combine(xmu, xmu, (a, b) -> a * b), nodes.xmu);
      assertClose(backwardGraph.dxmu2(), numeric(f, nodes.xmu), 1e-8);
    }

    @Test
    void dx1() {
      assertClose(backwardGraph.dx1(), numeric(this::outOfXmu, nodes.xmu), 1e-8);
    }

    @Test
    void dmu() {
      assertClose(
          rows(1, backwardGraph.dmu()), numeric(mu -> outOfMu(mu[0]), rows(1, nodes.mu)), 1e-8);
    }

    @Test
    void dx2() {
      UnaryOperator<double[][]> f =
          x ->
              outOfXmu(
                  combine(X, rows(N, new NaiveGraph(x, GAMMA, BETA, EPS).mu), (a, b) -> a - b));
      assertClose(backwardGraph.dx2(), numeric(f, X), 1e-8);
    }

    @Test
    void dx() {
      assertClose(
          backwardGraph.dx(), numeric(x -> new NaiveGraph(x, GAMMA, BETA, EPS).out, X), 1e-8);
    }

    @Test
    void all_of_them_agree_with_the_naive_graph() {
      assertClose(backwardGraph.dgammax(), DOUT, 0);
      assertClose(backwardGraph.dxhat(), naive.dxhat, 1e-14);
      assertClose(backwardGraph.divar(), naive.divar, 1e-14);
      assertClose(backwardGraph.dxmu1(), naive.dxmu1, 1e-14);
      assertClose(backwardGraph.dsqrtvar(), naive.dsqrtvar, 1e-14);
      assertClose(backwardGraph.dvar(), naive.dvar, 1e-14);
      assertClose(backwardGraph.dsq(), naive.dsq, 1e-14);
      assertClose(backwardGraph.dxmu2(), naive.dxmu2, 1e-14);
      assertClose(backwardGraph.dx1(), naive.dx1, 1e-14);
      assertClose(backwardGraph.dmu(), naive.dmu, 1e-14);
      assertClose(backwardGraph.dx2(), naive.dx2, 1e-14);
      assertClose(backwardGraph.dx(), naive.dx, 1e-14);
      assertClose(backwardGraph.dgamma(), naive.dgamma, 1e-14);
      assertClose(backwardGraph.dbeta(), naive.dbeta, 1e-14);
    }
  }
}
