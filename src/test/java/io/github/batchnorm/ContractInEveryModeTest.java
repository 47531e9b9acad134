package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.bits;
import static io.github.batchnorm.TestData.copy;
import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestData.input;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The rules on errors and state that {@link ContractTest} and {@link StateTest} go through one by
 * one with the cache, here in short with it and without, on odd shapes: a sum that is taken four
 * values or four rows at a time must not forget the rest.
 */
@DisplayName("Contract in every mode (seed 31)")
@ParameterizedClass(name = "{0} x {1}, cacheGraph({2})")
@CsvSource({
  "5, 1, true",
  "5, 1, false",
  "19, 7, true",
  "19, 7, false",
  "40, 2001, true", // strips of columns, shared out to threads
  "40, 2001, false",
  "2003, 41, true", // blocks of rows, shared out to threads
  "2003, 41, false",
})
class ContractInEveryModeTest {
  @Parameter(0)
  int n;

  @Parameter(1)
  int d;

  @Parameter(2)
  boolean cacheGraph;

  private double[][] x;
  private double[][] nextX;
  private double[][] dout;
  private BatchNormLayer layer;

  /** The same as {@link #layer}, for what it would have done without the call in question. */
  private BatchNormLayer twin;

  @BeforeEach
  void train() {
    Random random = new Random(31);
    x = input(random, n, d);
    nextX = input(random, n, d);
    dout = gaussian(random, n, d);
    BatchNormLayer.Builder builder =
        BatchNormLayer.builder(d)
            .gamma(gaussian(random, d))
            .beta(gaussian(random, d))
            .cacheGraph(cacheGraph);
    layer = builder.build();
    twin = builder.build();
    layer.forward(x);
    twin.forward(x);
  }

  /** A copy with another value in the last column of row i. */
  private double[][] with(double[][] matrix, int i, double value) {
    double[][] copy = copy(matrix);
    copy[i][d - 1] = value;
    return copy;
  }

  /** All bits the same; without a description of thousands of values if not. */
  private static void assertSame(Object actualBits, Object expectedBits) {
    assertThat(actualBits.equals(expectedBits)).as("the same bits").isTrue();
  }

  private void assertSameGraph() {
    assertSame(bits(layer.graph()), bits(twin.graph()));
    assertSame(bits(layer.backward(dout)), bits(twin.backward(dout)));
  }

  @Nested
  class A_value_that_is_not_finite {

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY})
    void is_found_in_every_column(double value) {
      for (int j = 0; j < d; j++) {
        double[][] badX = x.clone();
        badX[n / 2] = x[n / 2].clone();
        badX[n / 2][j] = value;
        double[][] badDout = dout.clone();
        badDout[n / 2] = dout[n / 2].clone();
        badDout[n / 2][j] = value;
        String rule = "[" + n / 2 + "][" + j + "] is " + value + ", expected a finite value";
        assertThatIllegalArgumentException()
            .isThrownBy(() -> layer.infer(badX))
            .withMessage("x" + rule);
        assertThatIllegalArgumentException()
            .isThrownBy(() -> layer.inferBackward(badX, dout))
            .withMessage("x" + rule);
        assertThatIllegalArgumentException()
            .isThrownBy(() -> layer.inferBackward(x, badDout))
            .withMessage("dout" + rule);
        assertThatIllegalArgumentException()
            .isThrownBy(() -> layer.backward(badDout))
            .withMessage("dout" + rule);
        assertThatIllegalArgumentException()
            .isThrownBy(() -> twin.forward(badX))
            .withMessage("x" + rule);
      }
    }

    @Test
    void is_found_in_every_one_of_the_last_rows() {
      for (int i = n - 5; i < n; i++) {
        double[][] badX = with(x, i, Double.NaN);
        double[][] badDout = with(dout, i, Double.NaN);
        String rule = "[" + i + "][" + (d - 1) + "] is NaN, expected a finite value";
        assertThatIllegalArgumentException()
            .isThrownBy(() -> layer.backward(badDout))
            .withMessage("dout" + rule);
        assertThatIllegalArgumentException()
            .isThrownBy(() -> twin.forward(badX))
            .withMessage("x" + rule);
      }
    }
  }

  @Nested
  class A_forward_that_throws {

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.NEGATIVE_INFINITY, 1e200}) // (1e200)² > 1.8e308
    void leaves_state_and_input_bit_for_bit_and_takes_the_graph_away(double value) {
      for (int i : new int[] {0, n / 2, n - 1}) {
        double[][] bad = with(nextX, i, value);
        layer.forward(x, new double[n][d]);
        twin.forward(x);
        Snapshot before = Snapshot.of(layer);
        assertThatIllegalArgumentException().isThrownBy(() -> layer.forward(bad, new double[n][d]));
        assertSame(bits(bad), bits(with(nextX, i, value)));
        assertThatIllegalArgumentException().isThrownBy(() -> layer.forward(bad, bad));
        assertSame(bits(bad), bits(with(nextX, i, value)));
        assertThat(Snapshot.of(layer)).isEqualTo(before);
        assertNoGraph();
      }
      assertSame(bits(layer.forward(nextX)), bits(twin.forward(nextX)));
      assertSameGraph();
      assertThat(Snapshot.of(layer)).isEqualTo(Snapshot.of(twin));
    }

    @Test
    void for_its_shape_takes_the_graph_away_too() {
      Snapshot before = Snapshot.of(layer);
      assertThatIllegalArgumentException().isThrownBy(() -> layer.forward(new double[1][d]));
      assertNoGraph();
      layer.forward(x);
      twin.forward(x);
      assertThat(Snapshot.of(layer)).isNotEqualTo(before).isEqualTo(Snapshot.of(twin));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.forward(nextX, new double[n - 1][d]));
      assertNoGraph();
      assertThat(Snapshot.of(layer)).isEqualTo(Snapshot.of(twin));
    }

    private void assertNoGraph() {
      assertThatIllegalStateException().isThrownBy(() -> layer.backward(dout));
      assertThatIllegalStateException().isThrownBy(() -> layer.backward(dout, new double[n][d]));
      assertThatIllegalStateException().isThrownBy(layer::graph);
    }
  }

  @Nested
  class A_backward_that_throws {

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.MAX_VALUE})
    void leaves_state_graph_and_dout_bit_for_bit(double value) {
      Snapshot before = Snapshot.of(layer);
      // twice the largest double overflows, whatever the signs of xhat: Σ dout does
      double[][] bad = with(with(dout, 1, value), 2, value);
      assertThatIllegalArgumentException().isThrownBy(() -> layer.backward(bad, new double[n][d]));
      assertSame(bits(bad), bits(with(with(dout, 1, value), 2, value)));
      assertThatIllegalArgumentException().isThrownBy(() -> layer.backward(bad, bad));
      assertSame(bits(bad), bits(with(with(dout, 1, value), 2, value)));
      assertThat(Snapshot.of(layer)).isEqualTo(before);
      assertSameGraph();
    }
  }

  @Nested
  class State {

    @Test
    void of_a_new_layer_has_no_graph() {
      BatchNormLayer fresh = BatchNormLayer.builder(d).cacheGraph(cacheGraph).build();
      assertThatIllegalStateException().isThrownBy(() -> fresh.backward(dout));
      assertThatIllegalStateException().isThrownBy(fresh::graph);
    }

    @Test
    void of_a_reused_layer_is_that_of_a_fresh_one_whatever_N_was_before() {
      Random random = new Random(32);
      for (int rows : new int[] {n, 3, n - 1, 2, n + 4, n}) {
        double[][] batch = input(random, rows, d);
        double[][] upstream = gaussian(random, rows, d);
        BatchNormLayer fresh =
            BatchNormLayer.builder(d)
                .gamma(layer.gamma())
                .beta(layer.beta())
                .cacheGraph(cacheGraph)
                .build();
        assertSame(bits(layer.forward(batch)), bits(fresh.forward(batch)));
        assertSame(bits(layer.graph()), bits(fresh.graph()));
        assertSame(bits(layer.backward(upstream)), bits(fresh.backward(upstream)));
      }
    }

    @Test
    void of_the_graph_outlives_infer_graph_and_backward_and_a_change_of_gamma() {
      layer.infer(nextX);
      layer.inferBackward(nextX, dout);
      layer.backward(nextX, new double[n][d]);
      Arrays.fill(layer.gamma(), 7);
      Arrays.fill(layer.beta(), Double.NaN);
      layer.graph();
      assertSameGraph();
      assertSameGraph();
    }
  }

  @Nested
  class Arrays_of_the_caller {

    @Test
    void may_be_overwritten_if_the_layer_handed_them_out() {
      double[][] dx = new double[n][d];
      double[][] out = layer.forward(x);
      twin.forward(x);
      spoil(out);
      BatchNormGraph graph = layer.graph();
      spoil(graph.xmu());
      spoil(graph.sq());
      spoil(graph.xhat());
      spoil(graph.mu(), graph.var(), graph.sqrtvar(), graph.ivar());
      BatchNormGradients gradients = layer.backward(dout, dx);
      spoil(dx);
      spoil(gradients.dgamma(), gradients.dbeta());
      spoil(layer.runningMean(), layer.runningVar());
      assertSameGraph();
      assertSame(bits(layer.forward(nextX)), bits(twin.forward(nextX)));
      assertSameGraph();
      assertThat(Snapshot.of(layer)).isEqualTo(Snapshot.of(twin));
    }

    @Test
    void are_not_modified_as_inputs() {
      double[][] sameX = copy(x);
      double[][] sameDout = copy(dout);
      layer.forward(x, new double[n][d]);
      layer.backward(dout, new double[n][d]);
      layer.graph();
      layer.infer(x, new double[n][d]);
      layer.inferBackward(x, dout);
      assertSame(bits(x), bits(sameX));
      assertSame(bits(dout), bits(sameDout));
    }

    @Test
    void may_be_dout_and_dx_in_one() {
      double[][] inOut = copy(dout);
      BatchNormGradients gradients = layer.backward(inOut, inOut);
      assertThat(gradients.dx()).isSameAs(inOut);
      assertSame(bits(gradients), bits(twin.backward(dout)));
      assertSameGraph();
    }

    private static void spoil(double[]... rows) {
      for (double[] row : rows) {
        Arrays.fill(row, Double.NaN);
      }
    }
  }
}
