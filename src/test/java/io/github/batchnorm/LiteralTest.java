package io.github.batchnorm;

import static io.github.batchnorm.TestData.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What the graph and the trace show is what was computed: every formula of the post that has no Σ
 * holds to the bit. The shapes have one tile, blocks of rows, strips of columns and several
 * threads; the last column is far from 0, so that mu has a rest.
 */
@DisplayName("Literal")
@ParameterizedClass(name = "{0} x {1}, seed {2}")
@CsvSource({
  "2, 1, 1",
  "7, 5, 2",
  "65, 33, 3",
  "301, 40, 4",
  "70000, 2, 5",
  "40, 2001, 6",
  "300, 300, 7"
})
class LiteralTest {
  private static final double EPSILON = 1e-3;

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
  private BatchNormTrace trace;

  @BeforeEach
  void walk() {
    Random random = new Random(seed);
    x = TestData.input(random, n, d);
    for (double[] row : x) {
      row[d - 1] += 1e9;
    }
    dout = gaussian(random, n, d);
    gamma = gaussian(random, d);
    beta = gaussian(random, d);
    BatchNormLayer layer =
        BatchNormLayer.builder(d).gamma(gamma).beta(beta).epsilon(EPSILON).build();
    out = layer.forward(x);
    graph = layer.graph();
    trace = layer.trace(dout);
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
      if (Double.compare(node[j], formula.at(j)) != 0) {
        assertThat(node[j]).as("[%d]", j).isEqualTo(formula.at(j));
      }
    }
  }

  @Test
  void steps_1_and_2_share_a_rest_that_is_the_same_in_every_row() {
    double[] xmu = graph.xmu()[0];
    for (int j = 0; j < d; j++) {
      double[] mu = graph.mu();
      double largest = Math.max(Math.ulp(mu[j]), 4e-15 * Math.sqrt(graph.var()[j]));
      for (int i = 0; i < n; i++) {
        // up to the rounding of this check itself: two differences of the size of xmu
        double rest = (x[i][j] - mu[j]) - graph.xmu()[i][j];
        assertThat(Math.abs(rest)).isLessThanOrEqualTo(largest + Math.ulp(graph.xmu()[i][j]));
      }
    }
    assertThat(xmu).hasSize(d);
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
    assertIs(trace.dgammax(), (i, j) -> dout[i][j]);
  }

  @Test
  void step_8_dxhat() {
    assertIs(trace.dxhat(), (i, j) -> trace.dgammax()[i][j] * gamma[j]);
  }

  @Test
  void step_7_dxmu1() {
    assertIs(trace.dxmu1(), (i, j) -> trace.dxhat()[i][j] * graph.ivar()[j]);
  }

  @Test
  void step_6_dsqrtvar() {
    assertIs(trace.dsqrtvar(), j -> -graph.ivar()[j] * graph.ivar()[j] * trace.divar()[j]);
  }

  @Test
  void step_5_dvar() {
    assertIs(trace.dvar(), j -> 0.5 * graph.ivar()[j] * trace.dsqrtvar()[j]);
  }

  @Test
  void step_4_dsq() {
    assertIs(trace.dsq(), (i, j) -> trace.dvar()[j] / n);
  }

  @Test
  void step_3_dxmu2() {
    assertIs(trace.dxmu2(), (i, j) -> 2 * graph.xmu()[i][j] * trace.dsq()[i][j]);
  }

  @Test
  void step_2_dx1() {
    assertIs(trace.dx1(), (i, j) -> trace.dxmu1()[i][j] + trace.dxmu2()[i][j]);
  }

  @Test
  void step_2_dmu() {
    assertIs(trace.dmu(), j -> -(gamma[j] * graph.ivar()[j]) * trace.dbeta()[j]);
  }

  @Test
  void step_1_dx2() {
    assertIs(trace.dx2(), (i, j) -> trace.dmu()[j] / n);
  }

  @Test
  void step_0_dx() {
    assertIs(trace.dx(), (i, j) -> trace.dx1()[i][j] + trace.dx2()[i][j]);
  }
}
