package io.github.batchnorm;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
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

  @Nested
  @DisplayName("forward, steps 1 to 9")
  class Forward {
    private double[][] out;
    private BatchNormGraph graph;

    @BeforeEach
    void walk() {
      out = layer.forward(X);
      graph = layer.graph();
    }

    @Test
    void step_1_mu() {
      assertThat(graph.mu()).isEqualTo(MU);
    }

    @Test
    void step_2_xmu() {
      assertThat(graph.xmu()).isDeepEqualTo(XMU);
    }

    @Test
    void step_3_sq() {
      assertThat(graph.sq()).isDeepEqualTo(SQ);
    }

    @Test
    void step_4_var() {
      assertThat(graph.var()).isEqualTo(VAR);
    }

    @Test
    void step_5_sqrtvar() {
      assertThat(graph.sqrtvar()).isEqualTo(SQRTVAR);
    }

    @Test
    void step_6_ivar() {
      assertThat(graph.ivar()).isEqualTo(IVAR);
    }

    @Test
    void step_7_xhat() {
      assertThat(graph.xhat()).isDeepEqualTo(XHAT);
    }

    @Test
    void steps_8_and_9_out() {
      assertThat(out).isDeepEqualTo(OUT);
    }
  }

  @Nested
  @DisplayName("backward, steps 9 to 0")
  class Backward {
    private BatchNormBackwardGraph backwardGraph;

    @BeforeEach
    void walk() {
      layer.forward(X);
      backwardGraph = layer.backwardGraph(DOUT);
    }

    @Test
    void step_9_dbeta() {
      assertThat(backwardGraph.dbeta()).isEqualTo(DBETA);
    }

    @Test
    void step_9_dgammax() {
      assertThat(backwardGraph.dgammax()).isDeepEqualTo(DOUT);
    }

    @Test
    void step_8_dgamma() {
      assertThat(backwardGraph.dgamma()).isEqualTo(DGAMMA);
    }

    @Test
    void step_8_dxhat() {
      assertThat(backwardGraph.dxhat()).isDeepEqualTo(DXHAT);
    }

    @Test
    void step_7_divar() {
      assertThat(backwardGraph.divar()).isEqualTo(DIVAR);
    }

    @Test
    void step_7_dxmu1() {
      assertThat(backwardGraph.dxmu1()).isDeepEqualTo(DXMU1);
    }

    @Test
    void step_6_dsqrtvar() {
      assertThat(backwardGraph.dsqrtvar()).isEqualTo(DSQRTVAR);
    }

    @Test
    void step_5_dvar() {
      assertThat(backwardGraph.dvar()).isEqualTo(DVAR);
    }

    @Test
    void step_4_dsq() {
      assertThat(backwardGraph.dsq()).isDeepEqualTo(new double[][] {DSQ, DSQ, DSQ});
    }

    @Test
    void step_3_dxmu2() {
      assertThat(backwardGraph.dxmu2()).isDeepEqualTo(DXMU2);
    }

    @Test
    void step_2_dx1() {
      assertThat(backwardGraph.dx1()).isDeepEqualTo(DX1);
    }

    @Test
    void step_2_dmu() {
      assertThat(backwardGraph.dmu()).isEqualTo(DMU);
    }

    @Test
    void step_1_dx2() {
      assertThat(backwardGraph.dx2()).isDeepEqualTo(new double[][] {DX2, DX2, DX2});
    }

    @Test
    void step_0_dx() {
      assertThat(backwardGraph.dx()).isDeepEqualTo(DX);
    }
  }

  @Test
  void the_naive_graph_of_the_tests_agrees_in_every_node() {
    NaiveGraph naive = new NaiveGraph(X, GAMMA, BETA, EPS).backward(DOUT, NaiveGraph.Mutant.NONE);
    assertThat(naive.mu).isEqualTo(MU);
    assertThat(naive.xmu).isDeepEqualTo(XMU);
    assertThat(naive.sq).isDeepEqualTo(SQ);
    assertThat(naive.var).isEqualTo(VAR);
    assertThat(naive.sqrtvar).isEqualTo(SQRTVAR);
    assertThat(naive.ivar).isEqualTo(IVAR);
    assertThat(naive.xhat).isDeepEqualTo(XHAT);
    assertThat(naive.out).isDeepEqualTo(OUT);
    assertThat(naive.dbeta).isEqualTo(DBETA);
    assertThat(naive.dgamma).isEqualTo(DGAMMA);
    assertThat(naive.dxhat).isDeepEqualTo(DXHAT);
    assertThat(naive.divar).isEqualTo(DIVAR);
    assertThat(naive.dxmu1).isDeepEqualTo(DXMU1);
    assertThat(naive.dsqrtvar).isEqualTo(DSQRTVAR);
    assertThat(naive.dvar).isEqualTo(DVAR);
    assertThat(naive.dsq[0]).isEqualTo(DSQ);
    assertThat(naive.dxmu2).isDeepEqualTo(DXMU2);
    assertThat(naive.dx1).isDeepEqualTo(DX1);
    assertThat(naive.dmu).isEqualTo(DMU);
    assertThat(naive.dx2[0]).isEqualTo(DX2);
    assertThat(naive.dx).isDeepEqualTo(DX);
  }
}
