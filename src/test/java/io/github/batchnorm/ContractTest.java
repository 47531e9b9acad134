package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.assertSameBits;
import static io.github.batchnorm.TestData.filled;
import static io.github.batchnorm.TestData.with;
import static io.github.batchnorm.TestData.withColumn;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every refusal of a call with its exception and its whole message, and what comes close but is
 * accepted.
 *
 * <p>What overflows is in {@link LimitsTest}, what a refused call leaves behind in {@link
 * FailedCallTest}, and what a builder refuses in {@link BuilderTest}.
 */
@DisplayName("Contract (18 x 4, seed 17)")
class ContractTest {
  private static final int N = 18;
  private static final int D = 4;
  private static final Problem P = Problem.of(N, D, 17);
  private static final String NO_GRAPH =
      " needs the graph of a forward: there was none since the layer was made or restored, or the"
          + " last one failed";

  private final BatchNormLayer layer = new BatchNormLayer(D);

  ContractTest() {
    layer.forward(P.x());
  }

  static List<BadCall> badCalls() {
    return BadCall.all(P);
  }

  @ParameterizedTest
  @MethodSource("badCalls")
  void is_refused(BadCall bad) {
    bad.assertRefusedBy(layer);
  }

  /** The calls that take x. */
  enum Method {
    FORWARD((layer, x) -> layer.forward(x)),
    FORWARD_INTO((layer, x) -> layer.forward(x, new double[N][D])),
    INFER((layer, x) -> layer.infer(x)),
    INFER_INTO((layer, x) -> layer.infer(x, new double[N][D])),
    INFER_BACKWARD((layer, x) -> layer.inferBackward(x, new double[N][D]).dx());

    final BiFunction<BatchNormLayer, double[][], double[][]> call;

    Method(BiFunction<BatchNormLayer, double[][], double[][]> call) {
      this.call = call;
    }
  }

  private static void refuses(String message, ThrowingCallable call) {
    assertThatIllegalArgumentException().isThrownBy(call).withMessage(message);
  }

  private static void assertFinite(double[][] matrix) {
    assertThat(matrix).hasDimensions(N, D);
    assertThat(Arrays.stream(matrix).flatMapToDouble(Arrays::stream)).allMatch(Double::isFinite);
  }

  @Nested
  @ParameterizedClass(name = "{0}")
  @EnumSource
  class Each_call {
    @Parameter Method method;

    private double[][] on(double[][] x) {
      return method.call.apply(layer, x);
    }

    @Test
    void takes_an_x_so_large_that_its_variance_just_does_not_overflow() {
      // the variance is 1e150² = 1e300
      assertFinite(on(withColumn(P.x(), 2, i -> i % 2 == 0 ? 1e150 : -1e150)));
    }

    @Test
    void takes_an_x_so_large_that_the_sum_of_its_values_overflows() {
      assertFinite(on(filled(N, D, 1e308)));
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY})
    void needs_a_gamma_and_a_beta_that_an_optimizer_has_not_spoilt(double value) {
      BatchNormLayer twin = layer.copy();
      layer.gamma()[3] = value;
      refuses("gamma[3] is " + value + ", expected a finite value", () -> on(P.x()));
      layer.gamma()[3] = 1;
      layer.beta()[0] = value;
      refuses("beta[0] is " + value + ", expected a finite value", () -> on(P.x()));
      layer.beta()[0] = 0;
      assertSameBits(on(P.x()), method.call.apply(twin, P.x()));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FORWARD", "FORWARD_INTO"})
  void training_takes_the_largest_numbers(Method method) {
    double[][] x =
        withColumn(
            withColumn(P.x(), 2, i -> i % 2 == 0 ? 1e150 : -1e150), 3, i -> Double.MAX_VALUE);
    layer.beta()[3] = 0.75;
    double[][] out = method.call.apply(layer, x);
    for (int i = 0; i < N; i++) {
      assertThat(out[i][2]).isCloseTo(i % 2 == 0 ? 1 : -1, within(1e-15));
      assertThat(out[i][3]).isEqualTo(0.75); // of a constant column
    }
    assertThat(layer.runningMean()[3]).isFinite();
  }

  @Nested
  class Dout {

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY})
    void must_be_finite_also_where_gamma_or_xhat_is_0(double value) {
      layer.gamma()[1] = 0;
      double[][] x = withColumn(P.x(), 2, i -> 0);
      layer.forward(x);
      for (int j = 1; j <= 2; j++) {
        double[][] bad = with(P.dout(), 8, j, value);
        String message = "dout[8][" + j + "] is " + value + ", expected a finite value";
        refuses(message, () -> layer.backward(bad));
        refuses(message, () -> layer.backward(bad, new double[N][D]));
        refuses(message, () -> layer.inferBackward(x, bad));
      }
    }

    @Test
    void may_be_so_large_that_dgamma_just_does_not_overflow() {
      // Σ |dout| = 18 * 1e306 < 1.8e308, and |xhat| <= √17
      double[][] dout = withColumn(P.dout(), 2, i -> i % 2 == 0 ? 1e306 : -1e306);
      assertFinite(layer.backward(dout).dx());
      assertFinite(layer.backward(dout, new double[N][D]).dx());
      assertFinite(layer.inferBackward(P.x(), dout).dx());
    }
  }

  @Nested
  class Before_the_first_forward {
    private final BatchNormLayer fresh = new BatchNormLayer(D);

    private static void refusesForItsOrder(String method, ThrowingCallable call) {
      assertThatIllegalStateException().isThrownBy(call).withMessage(method + NO_GRAPH);
    }

    @Test
    void there_is_no_graph_also_after_infer() {
      fresh.infer(P.x());
      fresh.inferBackward(P.x(), P.dout());
      refusesForItsOrder("graph", fresh::graph);
      refusesForItsOrder("backward", () -> fresh.backward(P.dout()));
      refusesForItsOrder("backward", () -> fresh.backward(P.dout(), P.zeros()));
      refusesForItsOrder("backwardGraph", () -> fresh.backwardGraph(P.dout()));
    }

    @Test
    void a_backward_is_refused_for_its_order_before_its_arguments_are_looked_at() {
      refusesForItsOrder("backward", () -> fresh.backward(null));
      refusesForItsOrder("backward", () -> fresh.backward(null, null));
    }

    @Test
    void one_row_may_be_inferred() {
      double[][] row = {P.x()[0]};
      assertThat(fresh.infer(row)).hasDimensions(1, D);
      assertThat(fresh.infer(row, new double[1][D])).hasDimensions(1, D);
      assertThat(fresh.inferBackward(row, new double[][] {P.dout()[0]}).dx()).hasDimensions(1, D);
    }
  }
}
