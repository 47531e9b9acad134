package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.assertSameBits;
import static io.github.batchnorm.TestData.rows;

import org.junit.jupiter.api.Test;

/**
 * A 3 x 2 example worked by hand, every node of it. The numbers are chosen so that none is rounded:
 * all comparisons are exact.
 */
class HandWorkedTest {
  private static final double EPS = 2;
  private static final double[] GAMMA = {2, -4};
  private static final double[] BETA = {1, 3};
  private static final double[][] X = {{4, 3}, {4, 0}, {1, -6}};
  private static final double[][] DOUT = {{1, 2}, {4, -1}, {1, 5}};

  // forward, by hand
  private static final double[] MU = {3, -1}; // (4 + 4 + 1) / 3, (3 + 0 - 6) / 3
  private static final double[][] XMU = {{1, 4}, {1, 1}, {-2, -5}}; // x - mu
  private static final double[][] SQ = {{1, 16}, {1, 1}, {4, 25}}; // xmu²
  private static final double[] VAR = {2, 14}; // 6 / 3, 42 / 3
  private static final double[] SQRTVAR = {2, 4}; // √(2 + 2), √(14 + 2)
  private static final double[] IVAR = {0.5, 0.25}; // 1 / 2, 1 / 4
  private static final double[][] XHAT = {{0.5, 1}, {0.5, 0.25}, {-1, -1.25}}; // xmu * ivar
  private static final double[][] OUT = {{2, -1}, {2, 2}, {-1, 8}}; // gamma * xhat + beta

  // backward, by hand
  private static final double[] DBETA = {6, 6}; // 1 + 4 + 1, 2 - 1 + 5
  private static final double[] DGAMMA = {1.5, -4.5}; // 0.5 + 2 - 1, 2 - 0.25 - 6.25
  private static final double[][] DXHAT = {{2, -8}, {8, 4}, {2, -20}}; // dout * gamma
  private static final double[] DIVAR = {6, 72}; // 2 + 8 - 4, -32 + 4 + 100
  private static final double[][] DXMU1 = {{1, -2}, {4, 1}, {1, -5}}; // dxhat * ivar
  private static final double[] DSQRTVAR = {-1.5, -4.5}; // -6 / 4, -72 / 16
  private static final double[] DVAR = {-0.375, -0.5625}; // -1.5 / (2 * 2), -4.5 / (2 * 4)
  private static final double[] DSQ = {-0.125, -0.1875}; // dvar / 3
  private static final double[][] DXMU2 = {{-0.25, -1.5}, {-0.25, -0.375}, {0.5, 1.875}};
  private static final double[][] DX1 = {{0.75, -3.5}, {3.75, 0.625}, {1.5, -3.125}};
  private static final double[] DMU = {-6, 6}; // -(0.75 + 3.75 + 1.5), -(-3.5 + 0.625 - 3.125)
  private static final double[] DX2 = {-2, 2}; // dmu / 3
  private static final double[][] DX = {{-1.25, -1.5}, {1.75, 2.625}, {-0.5, -1.125}};

  private final BatchNormLayer layer =
      BatchNormLayer.builder(2).gamma(GAMMA).beta(BETA).epsilon(EPS).build();

  private static final BatchNormGraph GRAPH =
      new BatchNormGraph(MU, XMU, SQ, VAR, SQRTVAR, IVAR, XHAT);
  private static final BatchNormBackwardGraph BACKWARD_GRAPH =
      new BatchNormBackwardGraph(
          DOUT, // dgammax
          DXHAT,
          DIVAR,
          DXMU1,
          DSQRTVAR,
          DVAR,
          rows(3, DSQ),
          DXMU2,
          DX1,
          DMU,
          rows(3, DX2),
          DX,
          DGAMMA,
          DBETA);

  @Test
  void forward_agrees_in_every_node_of_steps_1_to_9() {
    assertSameBits(layer.forward(X), OUT);
    assertSameBits(layer.graph(), GRAPH);
  }

  @Test
  void backward_agrees_in_every_node_of_steps_9_to_0() {
    layer.forward(X);
    assertSameBits(layer.backwardGraph(DOUT), BACKWARD_GRAPH);
  }

  @Test
  void the_naive_graph_of_the_tests_agrees_in_every_node() {
    NaiveGraph naive = new NaiveGraph(X, GAMMA, BETA, EPS);
    assertSameBits(naive.out, OUT);
    assertSameBits(naive.graph(), GRAPH);
    assertSameBits(naive.backward(DOUT, NaiveGraph.Mutant.NONE).backwardGraph(), BACKWARD_GRAPH);
  }
}
