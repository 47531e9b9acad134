package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.assertSameBits;
import static io.github.batchnorm.Snapshot.bits;
import static io.github.batchnorm.TestData.copy;
import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestData.input;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The backward nodes as a record, and both records as text; {@link NodesTest} has the values. */
@DisplayName("Backward graph (seed 47)")
class BackwardGraphTest {
  private final Random random = new Random(47);

  @ParameterizedTest
  @CsvSource({"5, 3", "60, 1500", "3001, 40"})
  void has_the_gradients_of_backward_and_the_same_bits_on_one_thread_or_many(int n, int d) {
    double[][] x = input(random, n, d);
    double[][] dout = gaussian(random, n, d);
    BatchNormLayer.Builder builder =
        BatchNormLayer.builder(d).gamma(gaussian(random, d)).beta(gaussian(random, d));
    BatchNormLayer layer = builder.parallel(true).build();
    layer.forward(x);
    BatchNormBackwardGraph backwardGraph = layer.backwardGraph(dout);
    BatchNormGradients ofGraph =
        new BatchNormGradients(backwardGraph.dx(), backwardGraph.dgamma(), backwardGraph.dbeta());
    assertSameBits(ofGraph, layer.backward(dout));

    BatchNormLayer alone = builder.parallel(false).build();
    alone.forward(x);
    assertSameBits(alone.backwardGraph(dout), backwardGraph);
  }

  @Test
  void is_a_snapshot() {
    BatchNormLayer layer = new BatchNormLayer(3);
    double[][] dout = gaussian(random, 4, 3);
    layer.forward(input(random, 4, 3));
    BatchNormBackwardGraph backwardGraph = layer.backwardGraph(dout);
    List<Object> before = bits(backwardGraph);
    double[][] dxmu1 = copy(backwardGraph.dxmu1());
    BatchNormGradients gradients = layer.backward(dout);
    for (double[][] node :
        new double[][][] {
          backwardGraph.dgammax(),
          backwardGraph.dsq(),
          backwardGraph.dx2(),
          {backwardGraph.divar(), backwardGraph.dmu()}
        }) {
      for (double[] row : node) {
        row[0] = 4242; // neither another node, nor the layer, nor dout
      }
    }
    assertSameBits(layer.backward(dout), gradients);
    assertThat(bits(layer.backwardGraph(dout))).isEqualTo(before);
    layer.forward(input(random, 9, 3));
    layer.backward(gaussian(random, 9, 3));
    assertThat(backwardGraph.dsq()[1][0]).isEqualTo(4242);
    assertSameBits(backwardGraph.dxmu1(), dxmu1);
  }

  @Test
  void is_refused_as_backward_is() {
    BatchNormLayer layer = new BatchNormLayer(1);
    assertThatIllegalStateException()
        .isThrownBy(() -> layer.backwardGraph(new double[2][1]))
        .withMessage(
            "backwardGraph needs the graph of a forward: none was made yet, or the last one failed");
    layer.forward(new double[][] {{1}, {2}});
    assertThatIllegalArgumentException()
        .isThrownBy(() -> layer.backwardGraph(new double[3][1]))
        .withMessage("dout has shape (3, 1), expected (2, 1) as in the last forward");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> layer.backwardGraph(new double[][] {{1}, {Double.NaN}}))
        .withMessage("dout[1][0] is NaN, expected a finite value");
  }

  /** The example of HandWorkedTest, whose numbers are exact. */
  @Nested
  class As_text {
    private final BatchNormLayer layer =
        BatchNormLayer.builder(2).epsilon(2).gamma(new double[] {2, -4}).build();

    private static String lines(String... lines) {
      return String.join(System.lineSeparator(), lines);
    }

    @Test
    void the_graph_is_a_table_by_step() {
      layer.forward(new double[][] {{4, 3}, {4, 0}, {1, -6}});
      assertThat(layer.graph())
          .hasToString(
              lines(
                  "step  node      shape",
                  "1     mu        (2)                3.00000      -1.00000",
                  "2     xmu       (3, 2)             1.00000       4.00000",
                  "                                   1.00000       1.00000",
                  "                                  -2.00000      -5.00000",
                  "3     sq        (3, 2)             1.00000       16.0000",
                  "                                   1.00000       1.00000",
                  "                                   4.00000       25.0000",
                  "4     var       (2)                2.00000       14.0000",
                  "5     sqrtvar   (2)                2.00000       4.00000",
                  "6     ivar      (2)               0.500000      0.250000",
                  "7     xhat      (3, 2)            0.500000       1.00000",
                  "                                  0.500000      0.250000",
                  "                                  -1.00000      -1.25000"));
    }

    @Test
    void the_trace_is_a_table_from_step_9_to_0() {
      layer.forward(new double[][] {{4, 3}, {4, 0}, {1, -6}});
      assertThat(layer.backwardGraph(new double[][] {{1, 2}, {4, -1}, {1, 5}}))
          .hasToString(
              lines(
                  "step  node      shape",
                  "9     dbeta     (2)                6.00000       6.00000",
                  "9     dgammax   (3, 2)             1.00000       2.00000",
                  "                                   4.00000      -1.00000",
                  "                                   1.00000       5.00000",
                  "8     dgamma    (2)                1.50000      -4.50000",
                  "8     dxhat     (3, 2)             2.00000      -8.00000",
                  "                                   8.00000       4.00000",
                  "                                   2.00000      -20.0000",
                  "7     divar     (2)                6.00000       72.0000",
                  "7     dxmu1     (3, 2)             1.00000      -2.00000",
                  "                                   4.00000       1.00000",
                  "                                   1.00000      -5.00000",
                  "6     dsqrtvar  (2)               -1.50000      -4.50000",
                  "5     dvar      (2)              -0.375000     -0.562500",
                  "4     dsq       (3, 2)           -0.125000     -0.187500",
                  "                                 -0.125000     -0.187500",
                  "                                 -0.125000     -0.187500",
                  "3     dxmu2     (3, 2)           -0.250000      -1.50000",
                  "                                 -0.250000     -0.375000",
                  "                                  0.500000       1.87500",
                  "2     dx1       (3, 2)            0.750000      -3.50000",
                  "                                   3.75000      0.625000",
                  "                                   1.50000      -3.12500",
                  "2     dmu       (2)               -6.00000       6.00000",
                  "1     dx2       (3, 2)            -2.00000       2.00000",
                  "                                  -2.00000       2.00000",
                  "                                  -2.00000       2.00000",
                  "0     dx        (3, 2)            -1.25000      -1.50000",
                  "                                   1.75000       2.62500",
                  "                                 -0.500000      -1.12500"));
    }

    @Test
    void the_gradients_are_a_table_from_step_9_to_0() {
      layer.forward(new double[][] {{4, 3}, {4, 0}, {1, -6}});
      assertThat(layer.backward(new double[][] {{1, 2}, {4, -1}, {1, 5}}))
          .hasToString(
              lines(
                  "step  node      shape",
                  "9     dbeta     (2)                6.00000       6.00000",
                  "8     dgamma    (2)                1.50000      -4.50000",
                  "0     dx        (3, 2)            -1.25000      -1.50000",
                  "                                   1.75000       2.62500",
                  "                                 -0.500000      -1.12500"));
    }

    private static double[][] counted(int n, int d) {
      double[][] values = new double[n][d];
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < d; j++) {
          values[i][j] = 10 * i + j;
        }
      }
      return values;
    }

    @Test
    void a_matrix_of_6_by_6_is_shown_whole() {
      assertThat(NodeTable.ofNodes().add(2, "xmu", counted(6, 6)).toString())
          .doesNotContain("...")
          .hasLineCount(1 + 6)
          .endsWith(
              "50.0000       51.0000       52.0000       53.0000       54.0000       55.0000");
    }

    @Test
    void a_larger_one_is_shortened_to_its_first_and_last_rows_and_columns() {
      assertThat(NodeTable.ofNodes().add(2, "xmu", counted(7, 8)).toString())
          .isEqualTo(
              lines(
                  "step  node      shape",
                  "2     xmu       (7, 8)             0.00000       1.00000       2.00000  ..."
                      + "       5.00000       6.00000       7.00000",
                  "                                   10.0000       11.0000       12.0000  ..."
                      + "       15.0000       16.0000       17.0000",
                  "                                   20.0000       21.0000       22.0000  ..."
                      + "       25.0000       26.0000       27.0000",
                  "                              ...",
                  "                                   40.0000       41.0000       42.0000  ..."
                      + "       45.0000       46.0000       47.0000",
                  "                                   50.0000       51.0000       52.0000  ..."
                      + "       55.0000       56.0000       57.0000",
                  "                                   60.0000       61.0000       62.0000  ..."
                      + "       65.0000       66.0000       67.0000"));
    }
  }
}
