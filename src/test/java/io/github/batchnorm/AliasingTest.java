package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.bits;
import static io.github.batchnorm.TestData.copy;
import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestData.input;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Arrays that come in and go out: whose they are, and what happens to them. The shapes take in the
 * ways to cut a matrix for threads: not at all, into strips of columns, into blocks of rows.
 */
@DisplayName("Aliasing (seed 23)")
@ParameterizedClass(name = "{0} x {1}")
@CsvSource({"18, 4", "60, 1500", "3001, 40"})
class AliasingTest {
  @Parameter(0)
  int n;

  @Parameter(1)
  int d;

  private double[][] x;
  private double[][] dout;
  private BatchNormLayer layer;

  /** The same as {@link #layer}, which nobody disturbs. */
  private BatchNormLayer twin;

  @BeforeEach
  void make() {
    Random random = new Random(23);
    x = input(random, n, d);
    dout = gaussian(random, n, d);
    BatchNormLayer.Builder builder =
        BatchNormLayer.builder(d).gamma(gaussian(random, d)).beta(gaussian(random, d));
    layer = builder.build();
    twin = builder.build();
  }

  /** All bits the same; without a description of millions of values if not. */
  private static void assertSame(Object actualBits, Object expectedBits) {
    assertThat(actualBits.equals(expectedBits)).as("the same bits").isTrue();
  }

  private static void assertSame(double[][] actual, double[][] expected) {
    assertSame(bits(actual), bits(expected));
  }

  private static void assertSame(BatchNormGradients actual, BatchNormGradients expected) {
    assertSame(bits(actual), bits(expected));
  }

  private static void assertSame(BatchNormGraph actual, BatchNormGraph expected) {
    assertSame(bits(actual), bits(expected));
  }

  private static void spoil(double[]... rows) {
    for (double[] row : rows) {
      Arrays.fill(row, Double.NaN);
    }
  }

  @Nested
  class In_place {

    @Test
    void forward_gives_the_bits_of_out_of_place() {
      double[][] inOut = copy(x);
      assertThat(layer.forward(inOut, inOut)).isSameAs(inOut);
      assertSame(inOut, twin.forward(x));
      assertSame(layer.graph(), twin.graph());
      assertSame(layer.backward(dout), twin.backward(dout));
      assertThat(Snapshot.of(layer)).isEqualTo(Snapshot.of(twin));
    }

    @Test
    void backward_gives_the_bits_of_out_of_place() {
      layer.forward(x);
      twin.forward(x);
      double[][] inOut = copy(dout);
      BatchNormGradients gradients = layer.backward(inOut, inOut);
      assertThat(gradients.dx()).isSameAs(inOut);
      assertSame(gradients, twin.backward(dout));
    }

    @Test
    void infer_gives_the_bits_of_out_of_place() {
      layer.forward(x);
      double[][] inOut = copy(x);
      assertThat(layer.infer(inOut, inOut)).isSameAs(inOut);
      assertSame(inOut, layer.infer(x));
    }

    @Test
    void all_the_way_through_one_array_serves() {
      double[][] only = copy(x);
      layer.forward(only, only);
      double[][] out = copy(only);
      for (int i = 0; i < n; i++) {
        System.arraycopy(dout[i], 0, only[i], 0, d);
      }
      BatchNormGradients gradients = layer.backward(only, only);
      assertSame(out, twin.forward(x));
      assertSame(gradients, twin.backward(dout));
    }
  }

  @Nested
  class What_is_handed_in {

    @Test
    void is_not_modified() {
      double[][] sameX = copy(x);
      double[][] sameDout = copy(dout);
      layer.forward(x);
      layer.forward(x, new double[n][d]);
      layer.backward(dout);
      layer.backward(dout, new double[n][d]);
      layer.infer(x);
      layer.infer(x, new double[n][d]);
      layer.inferBackward(x, dout);
      assertSame(x, sameX);
      assertSame(dout, sameDout);
    }

    @Test
    void is_not_read_after_the_call() {
      double[][] handedIn = copy(x);
      double[][] handedInDout = copy(dout);
      double[][] out = new double[n][d];
      double[][] dx = new double[n][d];
      layer.forward(handedIn, out);
      twin.forward(x);
      spoil(handedIn);
      spoil(out);
      layer.backward(handedInDout, dx);
      spoil(handedInDout);
      spoil(dx);
      assertSame(layer.graph(), twin.graph());
      assertSame(layer.backward(dout), twin.backward(dout));
      assertThat(Snapshot.of(layer)).isEqualTo(Snapshot.of(twin));
    }

    @Test
    void may_hold_one_row_twice_where_it_is_only_read() {
      double[][] repeated = x.clone();
      repeated[n - 1] = repeated[0];
      double[][] repeatedDout = dout.clone();
      repeatedDout[1] = repeatedDout[0];
      assertSame(layer.forward(repeated), twin.forward(copy(repeated)));
      assertSame(layer.backward(repeatedDout), twin.backward(copy(repeatedDout)));
    }

    @Test
    void may_be_x_and_dout_in_one() {
      assertSame(layer.forward(x), twin.forward(copy(x)));
      assertSame(layer.backward(x), twin.backward(copy(x)));
      assertSame(layer.inferBackward(x, x), twin.inferBackward(copy(x), copy(x)));
    }
  }

  @Nested
  class What_is_handed_out {

    /** Every array that the layer can hand out, but for the live gamma and beta. */
    private List<double[]> everything(BatchNormLayer layer) {
      List<double[]> arrays = new ArrayList<>();
      arrays.addAll(List.of(layer.forward(x)));
      addGradients(layer.backward(dout), arrays);
      addGradients(layer.backward(dout, new double[n][d]), arrays);
      BatchNormGraph graph = layer.graph();
      arrays.addAll(List.of(graph.mu(), graph.var(), graph.sqrtvar(), graph.ivar()));
      arrays.addAll(List.of(graph.xmu()));
      arrays.addAll(List.of(graph.sq()));
      arrays.addAll(List.of(graph.xhat()));
      arrays.addAll(List.of(layer.runningMean(), layer.runningVar()));
      arrays.addAll(List.of(layer.infer(x)));
      addGradients(layer.inferBackward(x, dout), arrays);
      return arrays;
    }

    private static void addGradients(BatchNormGradients gradients, List<double[]> arrays) {
      arrays.addAll(List.of(gradients.dx()));
      arrays.addAll(List.of(gradients.dgamma(), gradients.dbeta()));
    }

    private static List<List<Double>> allBits(List<double[]> arrays) {
      return arrays.stream().map(Snapshot::bits).toList();
    }

    @Test
    void is_an_array_of_its_own_each_time() {
      Set<double[]> distinct = Collections.newSetFromMap(new IdentityHashMap<>());
      List<double[]> arrays = everything(layer);
      arrays.addAll(everything(layer));
      arrays.addAll(List.of(layer.gamma(), layer.beta()));
      arrays.addAll(List.of(x));
      arrays.addAll(List.of(dout));
      distinct.addAll(arrays);
      assertThat(distinct).hasSameSizeAs(arrays);
    }

    @Test
    void may_be_overwritten_without_harm_to_the_layer() {
      everything(layer).forEach(AliasingTest::spoil);
      everything(twin);
      // within one forward
      assertSame(layer.graph(), twin.graph());
      assertSame(layer.backward(dout), twin.backward(dout));
      // and from one to the next
      assertSame(allBits(everything(layer)), allBits(everything(twin)));
      assertThat(Snapshot.of(layer)).isEqualTo(Snapshot.of(twin));
    }

    @Test
    void is_not_changed_by_later_calls() {
      List<double[]> arrays = everything(layer);
      List<List<Double>> before = allBits(arrays);
      double[][] other = input(new Random(24), n, d);
      layer.forward(other);
      layer.backward(other);
      layer.infer(other);
      layer.inferBackward(other, other);
      Arrays.fill(layer.gamma(), 7);
      Arrays.fill(layer.beta(), 7);
      assertSame(allBits(arrays), before);
    }

    @Test
    void is_live_only_for_gamma_and_beta() {
      assertThat(layer.gamma()).isSameAs(layer.gamma());
      assertThat(layer.beta()).isSameAs(layer.beta()).isNotSameAs(layer.gamma());
      assertThat(layer.runningMean()).isNotSameAs(layer.runningMean());
      assertThat(layer.runningVar()).isNotSameAs(layer.runningVar());
    }
  }
}
