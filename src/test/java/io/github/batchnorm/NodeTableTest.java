package io.github.batchnorm;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The graphs as text, of the example of {@link HandWorkedTest}, whose numbers are exact. */
class NodeTableTest {
  private static final double[][] DOUT = {{1, 2}, {4, -1}, {1, 5}};

  private final BatchNormLayer layer =
      BatchNormLayer.builder(2).epsilon(2).gamma(new double[] {2, -4}).build();

  NodeTableTest() {
    layer.forward(new double[][] {{4, 3}, {4, 0}, {1, -6}});
  }

  private static String lines(String... lines) {
    return String.join(System.lineSeparator(), lines);
  }

  @Test
  void the_graph_is_a_table_by_step() {
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
  void the_backward_graph_is_a_table_from_step_9_to_0() {
    assertThat(layer.backwardGraph(DOUT))
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
    assertThat(layer.backward(DOUT))
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
        .endsWith("50.0000       51.0000       52.0000       53.0000       54.0000       55.0000");
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

  @Test
  void a_matrix_without_rows_has_no_columns_either() {
    double[][] noRows = {};
    assertThat(new BatchNormGradients(noRows, new double[] {1}, new double[] {2}))
        .asString()
        .contains("(0, 0)");
  }
}
