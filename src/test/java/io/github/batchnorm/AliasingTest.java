package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.arrays;
import static io.github.batchnorm.Snapshot.assertSameBits;
import static io.github.batchnorm.Snapshot.assertSameGraph;
import static io.github.batchnorm.TestData.copy;
import static io.github.batchnorm.TestData.filled;
import static io.github.batchnorm.TestData.spoil;
import static io.github.batchnorm.TestData.with;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Arrays that come in and go out: whose they are, and what happens to them. The shapes are odd, and
 * take in the ways to cut a matrix: not at all, into strips of columns, into blocks of rows, both.
 */
@DisplayName("Aliasing (seed 23)")
@ParameterizedClass(name = "{0} x {1}")
@CsvSource({"5, 1", "19, 7", "40, 2001", "2003, 41", "130, 1101"})
class AliasingTest {
  private final Problem p;
  private final double[][] x;
  private final double[][] dout;
  private final BatchNormLayer layer;

  /** The same as {@link #layer}, which nobody disturbs. */
  private final BatchNormLayer twin;

  AliasingTest(int n, int d) {
    p = Problem.of(n, d, 23);
    x = p.x();
    dout = p.dout();
    layer = p.layer();
    twin = p.layer();
  }

  /** Ways to hand in an output that all give the bits of one with rows of its own. */
  @Nested
  @ParameterizedClass(name = "{0}")
  @EnumSource(InPlace.class)
  class In_place {
    @Parameter InPlace kind;

    @Test
    void forward_gives_the_bits_of_out_of_place() {
      double[][] in = copy(x);
      double[][] out = kind.output(in);
      assertThat(layer.forward(in, out)).isSameAs(out);
      assertSameBits(out, twin.forward(x));
      assertSameGraph(layer, twin, dout);
      assertThat(Snapshot.of(layer)).isEqualTo(Snapshot.of(twin));
    }

    @Test
    void backward_gives_the_bits_of_out_of_place_and_may_be_called_again() {
      layer.forward(x);
      twin.forward(x);
      double[][] in = copy(dout);
      double[][] dx = kind.output(in);
      BatchNormGradients gradients = layer.backward(in, dx);
      assertThat(gradients.dx()).isSameAs(dx);
      assertSameBits(gradients, twin.backward(dout));
      assertSameGraph(layer, twin, dout);
    }

    @Test
    void infer_gives_the_bits_of_out_of_place() {
      layer.forward(x);
      double[][] in = copy(x);
      double[][] out = kind.output(in);
      assertThat(layer.infer(in, out)).isSameAs(out);
      assertSameBits(out, layer.infer(x));
    }
  }

  @Test
  void an_output_of_its_own_gets_the_bits_of_a_plain_call_and_is_handed_back() {
    double[][] out = filled(p.n(), p.d(), Double.NaN);
    assertThat(layer.forward(x, out)).isSameAs(out);
    assertSameBits(out, twin.forward(x));
    assertSameGraph(layer, twin, dout);
    assertThat(layer.infer(x, out)).isSameAs(out);
    assertSameBits(out, twin.infer(x));
    BatchNormGradients gradients = layer.backward(dout, out);
    assertThat(gradients.dx()).isSameAs(out);
    assertSameBits(gradients, twin.backward(dout));
    assertThat(Snapshot.of(layer)).isEqualTo(Snapshot.of(twin));
  }

  @Test
  void one_array_serves_all_the_way_through() {
    double[][] only = copy(x);
    layer.forward(only, only);
    assertSameBits(only, twin.forward(x));
    for (int i = 0; i < only.length; i++) {
      System.arraycopy(dout[i], 0, only[i], 0, p.d());
    }
    assertSameBits(layer.backward(only, only), twin.backward(dout));
  }

  @Nested
  class What_is_handed_in {

    @Test
    void is_not_modified() {
      double[][] sameX = copy(x);
      double[][] sameDout = copy(dout);
      layer.forward(x);
      layer.forward(x, p.zeros());
      layer.backward(dout);
      layer.backward(dout, p.zeros());
      layer.infer(x);
      layer.infer(x, p.zeros());
      layer.inferBackward(x, dout);
      assertSameBits(x, sameX);
      assertSameBits(dout, sameDout);
    }

    @Test
    void is_not_read_after_the_call() {
      double[][] handedIn = copy(x);
      double[][] handedInDout = copy(dout);
      double[][] out = p.zeros();
      double[][] dx = p.zeros();
      layer.forward(handedIn, out);
      twin.forward(x);
      spoil(handedIn);
      spoil(out);
      layer.backward(handedInDout, dx);
      spoil(handedInDout);
      spoil(dx);
      assertSameGraph(layer, twin, dout);
      assertThat(Snapshot.of(layer)).isEqualTo(Snapshot.of(twin));
    }

    @Test
    void may_hold_one_row_twice_where_it_is_only_read() {
      double[][] repeated = with(x, x.length - 1, x[0]);
      double[][] repeatedDout = with(dout, 1, dout[0]);
      assertSameBits(layer.forward(repeated), twin.forward(copy(repeated)));
      assertSameBits(layer.backward(repeatedDout), twin.backward(copy(repeatedDout)));
    }

    @Test
    void may_be_x_and_dout_in_one() {
      assertSameBits(layer.forward(x), twin.forward(copy(x)));
      assertSameBits(layer.backward(x), twin.backward(copy(x)));
      assertSameBits(layer.inferBackward(x, x), twin.inferBackward(copy(x), copy(x)));
    }
  }

  @Nested
  class What_is_handed_out {

    /** Every array that the layer can hand out, but for the live gamma and beta. */
    private double[][] everything(BatchNormLayer layer) {
      return Stream.of(
              List.of(layer.forward(x)),
              arrays(layer.backward(dout)),
              arrays(layer.backward(dout, p.zeros())),
              arrays(layer.backwardGraph(dout)),
              arrays(layer.graph()),
              List.of(layer.runningMean(), layer.runningVar()),
              List.of(layer.infer(x)),
              arrays(layer.inferBackward(x, dout)))
          .flatMap(List::stream)
          .toArray(double[][]::new);
    }

    @Test
    void is_an_array_of_its_own_each_time() {
      double[][] parameters = {layer.gamma(), layer.beta()};
      List<double[]> arrays =
          Stream.of(everything(layer), everything(layer), parameters, x, dout)
              .flatMap(Arrays::stream)
              .toList();
      Set<double[]> distinct = Collections.newSetFromMap(new IdentityHashMap<>());
      distinct.addAll(arrays);
      assertThat(distinct).hasSameSizeAs(arrays);
    }

    @Test
    void may_be_overwritten_without_harm_to_the_layer() {
      spoil(everything(layer));
      everything(twin);
      // within one forward
      assertSameGraph(layer, twin, dout);
      // and from one to the next
      assertSameBits(everything(layer), everything(twin));
      assertThat(Snapshot.of(layer)).isEqualTo(Snapshot.of(twin));
    }

    @Test
    void is_not_changed_by_later_calls() {
      double[][] arrays = everything(layer);
      double[][] before = copy(arrays);
      double[][] other = p.next(p.n(), 24).x();
      layer.forward(other);
      layer.backward(other);
      layer.infer(other);
      layer.inferBackward(other, other);
      Arrays.fill(layer.gamma(), 7);
      Arrays.fill(layer.beta(), 7);
      assertSameBits(arrays, before);
    }

    @Test
    void is_live_only_for_gamma_and_beta() {
      assertThat(layer.gamma()).isSameAs(layer.gamma());
      assertThat(layer.beta()).isSameAs(layer.beta()).isNotSameAs(layer.gamma());
    }
  }
}
