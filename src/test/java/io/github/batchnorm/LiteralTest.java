package io.github.batchnorm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
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

  private final int n;
  private final int d;
  private final double[][] x;
  private final double[][] dout;
  private final double[] gamma;
  private final double[] beta;
  private final double[][] out;
  private final BatchNormGraph graph;
  private final BatchNormBackwardGraph back;

  LiteralTest(int n, int d, long seed) {
    this.n = n;
    this.d = d;
    Problem p = Problem.of(n, d, seed);
    x = p.x();
    dout = p.dout();
    gamma = p.gamma();
    beta = p.beta();
    Random random = new Random(seed);
    for (int i = 0; i < n; i++) {
      x[i][0] = ODD[random.nextInt(ODD.length)];
      dout[i][d - 1] = ODD[random.nextInt(ODD.length)];
      x[i][d - 1] = 1e9 + random.nextGaussian();
    }
    BatchNormLayer layer = p.builder().epsilon(EPSILON).build();
    out = layer.forward(x);
    graph = layer.graph();
    back = layer.backwardGraph(dout);
  }

  /** The formula of a node of shape (N, D). */
  private interface Cell {
    double at(int i, int j);
  }

  /** The formula of a node of shape (D). */
  private interface Feature {
    double at(int j);
  }

  private void is(String node, double[][] values, Cell formula) {
    assertThat(values).hasDimensions(n, d);
    for (int i = 0; i < n; i++) {
      int row = i;
      is(node + "[" + i + "]", values[i], j -> formula.at(row, j));
    }
  }

  private static void is(String node, double[] values, Feature formula) {
    for (int j = 0; j < values.length; j++) {
      double expected = formula.at(j);
      if (Double.compare(values[j], expected) != 0) { // tells 0.0 from -0.0
        throw new AssertionError(
            "%s[%d] is %s, expected %s".formatted(node, j, values[j], expected));
      }
    }
  }

  @Test
  void step_2_xmu_and_the_rest_of_the_mean() {
    Graph inside = new Graph(d, 1);
    inside.forward(x, gamma, beta, EPSILON, new double[n][d]);
    assertThat(inside.rest[d - 1]).as("the last column has a rest").isNotZero();
    is("mu", graph.mu(), j -> inside.mu[j]);
    is("xmu", graph.xmu(), (i, j) -> (x[i][j] - inside.mu[j]) - inside.rest[j]);
  }

  @Test
  void steps_3_to_9() {
    is("sq", graph.sq(), (i, j) -> graph.xmu()[i][j] * graph.xmu()[i][j]);
    is("sqrtvar", graph.sqrtvar(), j -> Math.sqrt(graph.var()[j] + EPSILON));
    is("ivar", graph.ivar(), j -> 1 / graph.sqrtvar()[j]);
    is("xhat", graph.xhat(), (i, j) -> graph.xmu()[i][j] * graph.ivar()[j]);
    is("out", out, (i, j) -> gamma[j] * graph.xhat()[i][j] + beta[j]);
  }

  @Test
  void steps_9_to_0_backward() {
    double[] ivar = graph.ivar();
    is("dgammax", back.dgammax(), (i, j) -> dout[i][j]);
    is("dxhat", back.dxhat(), (i, j) -> back.dgammax()[i][j] * gamma[j]);
    is("dxmu1", back.dxmu1(), (i, j) -> back.dxhat()[i][j] * ivar[j]);
    is("dsqrtvar", back.dsqrtvar(), j -> -ivar[j] * ivar[j] * back.divar()[j]);
    is("dvar", back.dvar(), j -> 0.5 * ivar[j] * back.dsqrtvar()[j]);
    is("dsq", back.dsq(), (i, j) -> back.dvar()[j] / n);
    is("dxmu2", back.dxmu2(), (i, j) -> 2 * graph.xmu()[i][j] * back.dsq()[i][j]);
    is("dx1", back.dx1(), (i, j) -> back.dxmu1()[i][j] + back.dxmu2()[i][j]);
    is("dmu", back.dmu(), j -> -(gamma[j] * ivar[j]) * back.dbeta()[j]);
    is("dx2", back.dx2(), (i, j) -> back.dmu()[j] / n);
    is("dx", back.dx(), (i, j) -> back.dx1()[i][j] + back.dx2()[i][j]);
  }
}
