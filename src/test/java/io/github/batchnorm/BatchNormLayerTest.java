package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.assertGoOnAlike;
import static io.github.batchnorm.Snapshot.assertSameBits;
import static io.github.batchnorm.Snapshot.assertSameGraph;
import static io.github.batchnorm.Snapshot.bits;
import static io.github.batchnorm.TestData.column;
import static io.github.batchnorm.TestData.copy;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What the calls of a layer give and change, in which order they come, and on which parameters they
 * work. {@link FailedCallTest} has the calls that throw.
 */
@DisplayName("BatchNormLayer (18 x 4, seed 19)")
class BatchNormLayerTest {
  private static final int N = 18;
  private static final int D = 4;
  private static final Problem P = Problem.of(N, D, 19);
  private static final Problem NEXT = P.next(N, 20);

  private final BatchNormLayer layer = P.trained();

  /** The same as {@link #layer}, for what it would have done without the calls in question. */
  private final BatchNormLayer twin = P.trained();

  @Nested
  class Forward {

    @Test
    void changes_neither_gamma_nor_beta() {
      assertThat(layer.gamma()).containsExactly(P.gamma());
      assertThat(layer.beta()).containsExactly(P.beta());
    }

    @Test
    void uses_the_gamma_and_beta_of_the_moment() {
      double[] gamma = {2, 0, -4, 0.5};
      double[] beta = {1, 2, 3, 4};
      System.arraycopy(gamma, 0, layer.gamma(), 0, D);
      System.arraycopy(beta, 0, layer.beta(), 0, D);
      BatchNormLayer built = BatchNormLayer.builder(D).gamma(gamma).beta(beta).build();
      built.forward(P.x());
      assertGoOnAlike(layer, built, NEXT);
    }

    /** Each N after each other: fewer rows, more rows, cuts of the matrix of another kind. */
    @ParameterizedTest(name = "of {0}, {1}, {2}, {3} rows of {4} (seed 21)")
    @CsvSource({
      "5, 3, 4, 9, 1",
      "19, 3, 2, 23, 7",
      "40, 3, 39, 44, 2001",
      "2003, 2, 2002, 2007, 41",
      "3001, 100, 2000, 3001, 40",
    })
    void gives_the_same_bits_as_in_a_fresh_layer(int n0, int n1, int n2, int n3, int d) {
      Problem first = Problem.of(n0, d, 21);
      BatchNormLayer reused = first.trained();
      for (int n : new int[] {n1, n2, n3, n0}) {
        Problem next = first.next(n, n);
        BatchNormLayer fresh = next.layer();
        assertSameBits(reused.forward(next.x()), fresh.forward(next.x()));
        assertSameGraph(reused, fresh, next.dout());
      }
    }
  }

  @Nested
  class Backward {

    @Test
    void gives_the_same_bits_again_for_the_same_dout() {
      BatchNormGradients first = layer.backward(P.dout());
      assertSameBits(layer.backward(P.dout()), first);
      BatchNormGradients other = layer.backward(NEXT.dout());
      layer.backward(NEXT.dout(), P.zeros());
      assertSameBits(layer.backward(P.dout()), first);
      assertThat(bits(other)).isNotEqualTo(bits(first));
    }

    @Test
    void takes_the_gamma_of_the_forward_whatever_became_of_it() {
      Arrays.fill(layer.gamma(), 7);
      Arrays.fill(layer.beta(), 8);
      assertSameGraph(layer, twin, P.dout());
      // a step of an optimizer between two calls
      layer.gamma()[0] -= 0.1;
      assertSameGraph(layer, twin, P.dout());
      layer.forward(P.x());
      assertThat(bits(layer.backward(P.dout()))).isNotEqualTo(bits(twin.backward(P.dout())));
    }

    @Test
    void belongs_to_the_last_forward() {
      layer.forward(NEXT.x());
      assertSameGraph(layer, NEXT.trained(), P.dout());
      assertThat(bits(layer.backward(P.dout()))).isNotEqualTo(bits(twin.backward(P.dout())));
    }

    @Test
    void changes_no_state() {
      layer.backward(P.dout());
      layer.backward(copy(P.dout()), P.zeros());
      layer.backwardGraph(P.dout());
      layer.graph();
      assertSameGraph(layer, twin, P.dout());
      assertGoOnAlike(layer, twin, NEXT);
    }
  }

  @Nested
  class Infer_and_inferBackward {

    @Test
    void change_neither_the_state_nor_the_graph() {
      Problem twiceAsManyRows = P.next(2 * N, 22);
      layer.infer(NEXT.x());
      layer.infer(twiceAsManyRows.x());
      layer.infer(NEXT.x(), P.zeros());
      layer.inferBackward(NEXT.x(), NEXT.dout());
      assertSameGraph(layer, twin, P.dout());
      assertGoOnAlike(layer, twin, NEXT);
    }

    @Test
    void use_the_gamma_and_beta_of_the_moment() {
      double[][] out = layer.infer(P.x());
      layer.gamma()[1] = 0;
      layer.beta()[1] = 0.5;
      double[][] changed = layer.infer(P.x());
      assertThat(column(changed, 1)).containsOnly(0.5);
      assertThat(column(changed, 0)).isEqualTo(column(out, 0));
      // the derivative by x of a constant
      double[][] dx = layer.inferBackward(P.x(), P.dout()).dx();
      assertThat(TestData.largest(column(dx, 1))).isZero();
    }
  }

  @Test
  void as_text_has_its_settings_and_not_its_arrays() {
    assertThat(P.trained())
        .hasToString(
            "BatchNormLayer[features=4, epsilon=1.0E-5, smoothingFactor=0.1,"
                + " cumulativeAverage=false, populationRunningVar=false, batchesTracked=1,"
                + " parallel=true]");
    assertThat(
            BatchNormLayer.builder(1)
                .cumulativeAverage()
                .populationRunningVar(true)
                .epsilon(2)
                .parallel(false)
                .build())
        .hasToString(
            "BatchNormLayer[features=1, epsilon=2.0, smoothingFactor=0.1, cumulativeAverage=true,"
                + " populationRunningVar=true, batchesTracked=0, parallel=false]");
  }
}
