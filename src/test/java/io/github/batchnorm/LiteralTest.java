package io.github.batchnorm;

import static io.github.batchnorm.TestData.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What the two graphs show is what was computed: every formula of the post that has no Σ holds to
 * the bit. The first column of x and the last of dout hold odd values, among them -0.0 and
 * subnormals; the last column of x is far from 0, so that its mean has a rest.
 */
@DisplayName("Literal (seed 67)")
@ParameterizedClass(name = "{0} x {1}, seed {2}")
@MethodSource("shapes")
class LiteralTest {
  private static final double EPSILON = 1e-3;
  private static final double[] ODD = {0.0, -0.0, Double.MIN_VALUE, -1e-310, 1e-200, -1e140, 3};

  /** One tile, several tiles, several strips, both, each with several threads, then at random. */
  static Stream<Arguments> shapes() {
    Random random = new Random(67);
    return Stream.concat(
        Stream.of(
            Arguments.of(3, 1, 1),
            Arguments.of(65, 33, 2),
            Arguments.of(70000, 2, 3),
            Arguments.of(40, 2001, 4),
            Arguments.of(300, 300, 5),
            Arguments.of(257, 2500, 6)),
        IntStream.range(0, 20)
            .mapToObj(
                i -> Arguments.of(2 + random.nextInt(200), 1 + random.nextInt(200), 100 + i)));
  }

  @Parameter(0)
  int n;

  @Parameter(1)
  int d;

  @Parameter(2)
  long seed;

  private double[][] x;
  private double[][] dout;
  private double[] gamma;
  private double[] beta;
  private double[][] out;
  private BatchNormGraph graph;
  private BatchNormBackwardGraph backwardGraph;

  @BeforeEach
  void walk() {
    Random random = new Random(seed);
    x = TestData.input(random, n, d);
    dout = gaussian(random, n, d);
    for (int i = 0; i < n; i++) {
      x[i][0] = ODD[random.nextInt(ODD.length)];
      dout[i][d - 1] = ODD[random.nextInt(ODD.length)];
      x[i][d - 1] = 1e9 + random.nextGaussian();
    }
    gamma = gaussian(random, d);
    beta = gaussian(random, d);
    BatchNormLayer layer =
        BatchNormLayer.builder(d).gamma(gamma).beta(beta).epsilon(EPSILON).build();
    out = layer.forward(x);
    graph = layer.graph();
    backwardGraph = layer.backwardGraph(dout);
  }

  /** The formula of a node of shape (N, D). */
  private interface Cell {
    double at(int i, int j);
  }

  /** The formula of a node of shape (D). */
  private interface Feature {
    double at(int j);
  }

  private void assertIs(double[][] node, Cell formula) {
    assertThat(node).hasDimensions(n, d);
    for (int i = 0; i < n; i++) {
      int row = i;
      assertIs(node[i], j -> formula.at(row, j));
    }
  }

  private static void assertIs(double[] node, Feature formula) {
    for (int j = 0; j < node.length; j++) {
      if (Double.compare(node[j], formula.at(j)) != 0) { // tells 0.0 from -0.0
        throw new AssertionError("[%d] is %s, expected %s".formatted(j, node[j], formula.at(j)));
      }
    }
  }

  @Test
  void step_2_xmu_and_the_rest_of_the_mean() {
    Graph inside = new Graph(d, 1);
    inside.forward(x, gamma, beta, EPSILON, new double[n][d]);
    assertThat(inside.rest[d - 1]).as("the last column has a rest").isNotZero();
    assertIs(graph.mu(), j -> inside.mu[j]);
    assertIs(graph.xmu(), (i, j) -> (x[i][j] - inside.mu[j]) - inside.rest[j]);
  }

  @Test
  void step_3_sq() {
    assertIs(graph.sq(), (i, j) -> graph.xmu()[i][j] * graph.xmu()[i][j]);
  }

  @Test
  void step_5_sqrtvar() {
    assertIs(graph.sqrtvar(), j -> Math.sqrt(graph.var()[j] + EPSILON));
  }

  @Test
  void step_6_ivar() {
    assertIs(graph.ivar(), j -> 1 / graph.sqrtvar()[j]);
  }

  @Test
  void step_7_xhat() {
    assertIs(graph.xhat(), (i, j) -> graph.xmu()[i][j] * graph.ivar()[j]);
  }

  @Test
  void steps_8_and_9_out() {
    assertIs(out, (i, j) -> gamma[j] * graph.xhat()[i][j] + beta[j]);
  }

  @Test
  void step_9_dgammax() {
    assertIs(backwardGraph.dgammax(), (i, j) -> dout[i][j]);
  }

  @Test
  void step_8_dxhat() {
    assertIs(backwardGraph.dxhat(), (i, j) -> backwardGraph.dgammax()[i][j] * gamma[j]);
  }

  @Test
  void step_7_dxmu1() {
    assertIs(backwardGraph.dxmu1(), (i, j) -> backwardGraph.dxhat()[i][j] * graph.ivar()[j]);
  }

  @Test
  void step_6_dsqrtvar() {
    assertIs(
        backwardGraph.dsqrtvar(),
        j -> -graph.ivar()[j] * graph.ivar()[j] * backwardGraph.divar()[j]);
  }

  @Test
  void step_5_dvar() {
    assertIs(backwardGraph.dvar(), j -> 0.5 * graph.ivar()[j] * backwardGraph.dsqrtvar()[j]);
  }

  @Test
  void step_4_dsq() {
    assertIs(backwardGraph.dsq(), (i, j) -> backwardGraph.dvar()[j] / n);
  }

  @Test
  void step_3_dxmu2() {
    assertIs(backwardGraph.dxmu2(), (i, j) -> 2 * graph.xmu()[i][j] * backwardGraph.dsq()[i][j]);
  }

  @Test
  void step_2_dx1() {
    assertIs(
        backwardGraph.dx1(), (i, j) -> backwardGraph.dxmu1()[i][j] + backwardGraph.dxmu2()[i][j]);
  }

  @Test
  void step_2_dmu() {
    assertIs(backwardGraph.dmu(), j -> -(gamma[j] * graph.ivar()[j]) * backwardGraph.dbeta()[j]);
  }

  @Test
  void step_1_dx2() {
    assertIs(backwardGraph.dx2(), (i, j) -> backwardGraph.dmu()[j] / n);
  }

  @Test
  void step_0_dx() {
    assertIs(backwardGraph.dx(), (i, j) -> backwardGraph.dx1()[i][j] + backwardGraph.dx2()[i][j]);
  }
}
