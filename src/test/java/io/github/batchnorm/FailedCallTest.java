package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.assertGoOnAlike;
import static io.github.batchnorm.Snapshot.assertSameBits;
import static io.github.batchnorm.Snapshot.assertSameGraph;
import static io.github.batchnorm.TestData.copy;
import static io.github.batchnorm.TestData.filled;
import static io.github.batchnorm.TestData.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.List;
import java.util.function.Consumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What a call that throws leaves behind: the layer as it was. Only the graph is lost if the call is
 * a forward.
 */
@DisplayName("A failed call (18 x 4, seed 19)")
class FailedCallTest {
  private static final int N = 18;
  private static final int D = 4;
  private static final Problem P = Problem.of(N, D, 19);
  private static final Problem NEXT = P.next(N, 20);

  private final BatchNormLayer layer = P.trained();

  /** The same as {@link #layer}, for what it would have done without the call in question. */
  private final BatchNormLayer twin = P.trained();

  static List<BadCall> badCalls() {
    return BadCall.all(P);
  }

  private void assertNoGraph() {
    assertThatIllegalStateException().isThrownBy(() -> layer.backward(P.dout()));
    assertThatIllegalStateException().isThrownBy(() -> layer.backward(P.dout(), P.zeros()));
    assertThatIllegalStateException().isThrownBy(() -> layer.backwardGraph(P.dout()));
    assertThatIllegalStateException().isThrownBy(layer::graph);
  }

  @Nested
  @ParameterizedClass(name = "{0}")
  @MethodSource("io.github.batchnorm.FailedCallTest#badCalls")
  class Leaves {
    @Parameter BadCall bad;

    @Test
    void parameters_and_running_statistics_bit_for_bit() {
      Snapshot before = Snapshot.of(layer);
      bad.assertRefusedBy(layer);
      assertThat(Snapshot.of(layer)).isEqualTo(before);
    }

    @Test
    void a_graph_unless_it_is_a_forward() {
      bad.assertRefusedBy(layer);
      if (bad.isForward()) {
        assertNoGraph();
        layer.infer(P.x());
        layer.inferBackward(P.x(), P.dout());
        assertNoGraph();
      } else {
        assertSameGraph(layer, twin, P.dout());
      }
    }

    @Test
    void the_calls_after_it_as_they_would_have_been() {
      bad.assertRefusedBy(layer);
      assertGoOnAlike(layer, twin, NEXT);
    }

    @Test
    void a_new_layer_as_it_was() {
      BatchNormLayer fresh = P.layer();
      if (!bad.isBackward()) {
        bad.assertRefusedBy(fresh);
      }
      assertThatIllegalStateException().isThrownBy(() -> fresh.backward(P.dout()));
      assertThat(Snapshot.of(fresh)).isEqualTo(Snapshot.of(P.layer()));
    }
  }

  @Nested
  class For_a_spoilt_gamma_or_beta {
    private final List<Consumer<BatchNormLayer>> calls =
        List.of(
            layer -> layer.forward(P.x()),
            layer -> layer.forward(P.x(), P.zeros()),
            layer -> layer.infer(P.x()),
            layer -> layer.infer(P.x(), P.zeros()),
            layer -> layer.inferBackward(P.x(), P.dout()));

    @Test
    void it_does_not_touch_the_spoilt_value_or_anything_else() {
      layer.gamma()[1] = Double.NaN;
      layer.beta()[2] = Double.POSITIVE_INFINITY;
      Snapshot before = Snapshot.of(layer);
      for (Consumer<BatchNormLayer> call : calls) {
        assertThatIllegalArgumentException().isThrownBy(() -> call.accept(layer));
        assertThat(Snapshot.of(layer)).isEqualTo(before);
      }
    }

    @Test
    void it_lets_the_layer_go_on_once_the_value_is_mended() {
      for (Consumer<BatchNormLayer> call : calls) {
        layer.beta()[2] = Double.NaN;
        assertThatIllegalArgumentException().isThrownBy(() -> call.accept(layer));
        layer.beta()[2] = P.beta()[2];
      }
      assertNoGraph(); // two of the calls were a forward
      assertGoOnAlike(layer, twin, NEXT);
    }
  }

  @Test
  void does_not_write_an_output_of_its_own_if_its_arguments_or_its_order_are_bad() {
    double[][] output = filled(N, D, -4242);
    double[][] ragged = with(output, N - 1, new double[D + 1]);
    assertThatIllegalArgumentException().isThrownBy(() -> layer.forward(P.x(), ragged));
    BatchNormLayer fresh = P.layer();
    assertThatIllegalStateException().isThrownBy(() -> fresh.backward(P.dout(), output));
    layer.gamma()[D - 1] = Double.NaN;
    assertThatIllegalArgumentException().isThrownBy(() -> layer.forward(P.x(), output));
    assertSameBits(output, filled(N, D, -4242));
  }

  /** Odd shapes: what takes four values or four rows at a time must not forget the rest. */
  @Nested
  @DisplayName("However the matrix is cut (seed 31)")
  @ParameterizedClass(name = "{0} x {1}")
  @CsvSource({
    "5, 1", // one tile
    "19, 7", // one tile
    "20, 9000", // 9 strips of 1000 columns
    "40, 2001", // 3 strips of 667 columns
    "2003, 41", // 31 tiles of 64 rows and one of 19
    "3001, 40", // 46 tiles of 64 rows and one of 57
    "130, 1101", // 2 strips of 551 and 550 columns, in tiles of 59, 59 and 12 rows
  })
  class However_the_matrix_is_cut {
    private final int n;
    private final int d;
    private final Problem p;
    private final BatchNormLayer trained;
    private final BatchNormLayer undisturbed;

    However_the_matrix_is_cut(int n, int d) {
      this.n = n;
      this.d = d;
      p = Problem.of(n, d, 31);
      trained = p.trained();
      undisturbed = p.trained();
    }

    @Test
    void a_value_that_is_not_finite_is_found_in_the_first_and_last_columns_of_each_strip() {
      double[] values = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};
      for (Grid.Strip strip : new Grid(n, d).strips) {
        for (int j = strip.from(); j < strip.to(); j++) {
          if (j < strip.from() + 5 || j >= strip.to() - 5) {
            assertIsFound(n / 2, j, values[j % values.length]);
          }
        }
      }
    }

    @Test
    void a_value_that_is_not_finite_is_found_in_the_first_row_and_in_each_of_the_last() {
      assertIsFound(0, d - 1, Double.NaN);
      for (int i = n - 5; i < n; i++) {
        assertIsFound(i, 0, Double.NaN);
        assertIsFound(i, d - 1, Double.NaN);
      }
    }

    private void assertIsFound(int i, int j, double value) {
      double[][] x = with(p.x(), i, j, value);
      double[][] dout = with(p.dout(), i, j, value);
      String rule = "[" + i + "][" + j + "] is " + value + ", expected a finite value";
      refuses("x" + rule, () -> undisturbed.copy().forward(x));
      refuses("dout" + rule, () -> trained.backward(dout));
      refuses("x" + rule, () -> trained.infer(x));
      refuses("x" + rule, () -> trained.inferBackward(x, p.dout()));
      refuses("dout" + rule, () -> trained.inferBackward(p.x(), dout));
    }

    private static void refuses(String message, ThrowingCallable call) {
      assertThatIllegalArgumentException().isThrownBy(call).withMessage(message);
    }

    /** In place nothing is written before all is known to be finite. */
    private void assertWritesNothing(
        double[][] input, double[][] output, Consumer<BatchNormLayer> call) {
      double[][] inputBefore = copy(input);
      double[][] outputBefore = copy(output);
      assertThatIllegalArgumentException().isThrownBy(() -> call.accept(trained));
      assertSameBits(input, inputBefore);
      assertSameBits(output, outputBefore);
      assertThat(Snapshot.of(trained)).isEqualTo(Snapshot.of(undisturbed));
    }

    @ParameterizedTest
    @EnumSource
    void a_forward_in_place_writes_nothing(InPlace kind) {
      for (int i : new int[] {0, n / 2, n - 1}) {
        for (double value : new double[] {Double.NaN, Double.NEGATIVE_INFINITY, 1e200}) {
          double[][] bad = copy(with(p.x(), i, d - 1, value)); // (1e200)² > 1.8e308
          double[][] out = kind.output(bad);
          assertWritesNothing(bad, out, layer -> layer.forward(bad, out));
          assertThatIllegalStateException().isThrownBy(() -> trained.backward(p.dout()));
        }
      }
      assertGoOnAlike(trained, undisturbed, p);
    }

    @ParameterizedTest
    @EnumSource
    void a_backward_in_place_writes_nothing(InPlace kind) {
      for (double value : new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.MAX_VALUE}) {
        // the sum of two overflows if they are finite
        double[][] bad = copy(with(with(p.dout(), n - 1, d - 1, value), n - 2, d - 1, value));
        double[][] dx = kind.output(bad);
        assertWritesNothing(bad, dx, layer -> layer.backward(bad, dx));
      }
      assertSameGraph(trained, undisturbed, p.dout());
    }

    @ParameterizedTest
    @EnumSource
    void an_infer_in_place_writes_nothing(InPlace kind) {
      for (int i : new int[] {0, n / 2, n - 1}) {
        double[][] bad = copy(with(p.x(), i, d - 1, Double.NaN));
        double[][] out = kind.output(bad);
        assertWritesNothing(bad, out, layer -> layer.infer(bad, out));
      }
    }

    @Test
    void the_input_is_not_written_if_the_output_has_rows_of_its_own() {
      double[][] x = with(p.x(), n - 1, d - 1, Double.NaN);
      double[][] dout = with(p.dout(), n - 1, d - 1, Double.NaN);
      assertWritesNothing(dout, dout, layer -> layer.backward(dout, p.zeros()));
      assertWritesNothing(x, x, layer -> layer.forward(x, p.zeros()));
      assertWritesNothing(x, x, layer -> layer.infer(x, p.zeros()));
    }
  }
}
