package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.bits;
import static io.github.batchnorm.TestData.copy;
import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestData.input;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a call changes in the layer, and what a call that throws leaves as it was. */
@DisplayName("State (18 x 4, seed 19)")
class StateTest {
  private static final int N = 18;
  private static final int D = 4;
  private static final Random RANDOM = new Random(19);
  private static final double[][] X = input(RANDOM, N, D);
  private static final double[][] NEXT_X = input(RANDOM, N, D);
  private static final double[][] DOUT = gaussian(RANDOM, N, D);
  private static final double[][] OTHER_DOUT = gaussian(RANDOM, N, D);
  private static final double[] GAMMA = gaussian(RANDOM, D);
  private static final double[] BETA = gaussian(RANDOM, D);

  private final BatchNormLayer layer = layer();

  /** The same as {@link #layer}, for what it would have done without the call in question. */
  private final BatchNormLayer twin = layer();

  private static BatchNormLayer layer() {
    return BatchNormLayer.builder(D).gamma(GAMMA).beta(BETA).smoothingFactor(0.3).build();
  }

  @BeforeEach
  void train() {
    layer.forward(X);
    twin.forward(X);
  }

  interface Call {
    void on(BatchNormLayer layer);
  }

  /** One call for every reason why a forward throws. */
  enum BadForward {
    NULL(layer -> layer.forward(null)),
    NULL_X_INTO(layer -> layer.forward(null, rows(N))),
    NULL_ROW(layer -> layer.forward(with(X, 9, null))),
    NO_ROW(layer -> layer.forward(rows(0))),
    ONE_ROW(layer -> layer.forward(rows(1))),
    RAGGED(layer -> layer.forward(with(X, 9, new double[D + 1]))),
    NAN(layer -> layer.forward(with(X, 9, Double.NaN))),
    INFINITY_IN_ROW_0(layer -> layer.forward(with(X, 0, Double.POSITIVE_INFINITY))),
    INFINITY_AT_THE_END(layer -> layer.forward(with(X, N - 1, Double.NEGATIVE_INFINITY))),
    NAN_AND_ANOTHER_N(layer -> layer.forward(with(rows(N + 5), 9, Double.NaN))),
    NAN_INTO(layer -> layer.forward(with(X, 9, Double.NaN), rows(N))),
    OVERFLOW(layer -> layer.forward(with(X, 9, 1e200))), // (1e200)² > 1.8e308
    OVERFLOW_OF_A_DIFFERENCE(
        layer -> layer.forward(with(with(X, 8, -Double.MAX_VALUE), 9, Double.MAX_VALUE))),
    OUT_NULL(layer -> layer.forward(NEXT_X, null)),
    OUT_WITH_NULL_ROW(layer -> layer.forward(NEXT_X, with(X, 9, null))),
    OUT_OF_ANOTHER_SHAPE(layer -> layer.forward(NEXT_X, rows(N - 1)));

    final Call call;

    BadForward(Call call) {
      this.call = call;
    }
  }

  /** One call for every reason why a call throws that is no forward. */
  enum BadCall {
    BACKWARD_NULL(layer -> layer.backward(null)),
    BACKWARD_NULL_ROW(layer -> layer.backward(with(DOUT, 9, null))),
    BACKWARD_ANOTHER_N(layer -> layer.backward(rows(N + 1))),
    BACKWARD_RAGGED(layer -> layer.backward(with(DOUT, 9, new double[D - 1]))),
    BACKWARD_NAN(layer -> layer.backward(with(DOUT, 9, Double.NaN))),
    BACKWARD_INFINITY(layer -> layer.backward(with(DOUT, 0, Double.NEGATIVE_INFINITY))),
    BACKWARD_OVERFLOW(layer -> layer.backward(with(with(DOUT, 8, 1e308), 9, 1e308))),
    BACKWARD_INTO_NULL(layer -> layer.backward(DOUT, null)),
    BACKWARD_INTO_ANOTHER_SHAPE(layer -> layer.backward(DOUT, rows(N - 1))),
    BACKWARD_INTO_NAN(layer -> layer.backward(with(DOUT, 9, Double.NaN), rows(N))),
    INFER_NULL(layer -> layer.infer(null)),
    INFER_NULL_ROW(layer -> layer.infer(with(X, 9, null))),
    INFER_NO_ROW(layer -> layer.infer(rows(0))),
    INFER_RAGGED(layer -> layer.infer(with(X, 9, new double[D - 1]))),
    INFER_NAN(layer -> layer.infer(with(X, 9, Double.NaN))),
    INFER_INTO_NULL(layer -> layer.infer(X, null)),
    INFER_INTO_ANOTHER_SHAPE(layer -> layer.infer(X, rows(N - 1))),
    INFER_INTO_NAN(layer -> layer.infer(with(X, 9, Double.NaN), rows(N))),
    INFER_BACKWARD_NULL_X(layer -> layer.inferBackward(null, DOUT)),
    INFER_BACKWARD_NULL_DOUT(layer -> layer.inferBackward(X, null)),
    INFER_BACKWARD_RAGGED(layer -> layer.inferBackward(with(X, 9, new double[D - 1]), DOUT)),
    INFER_BACKWARD_ANOTHER_SHAPE(layer -> layer.inferBackward(X, rows(N - 1))),
    INFER_BACKWARD_NAN_IN_X(layer -> layer.inferBackward(with(X, 9, Double.NaN), DOUT)),
    INFER_BACKWARD_NAN_IN_DOUT(layer -> layer.inferBackward(X, with(DOUT, 9, Double.NaN))),
    INFER_BACKWARD_OVERFLOW(layer -> layer.inferBackward(X, with(with(DOUT, 8, 1e308), 9, 1e308)));

    final Call call;

    BadCall(Call call) {
      this.call = call;
    }
  }

  private static double[][] rows(int n) {
    return new double[n][D];
  }

  /** A copy with another row i. */
  private static double[][] with(double[][] matrix, int i, double[] row) {
    double[][] copy = matrix.clone();
    copy[i] = row;
    return copy;
  }

  /** A copy with another value in column 2 of row i. */
  private static double[][] with(double[][] matrix, int i, double value) {
    double[] row = matrix[i].clone();
    row[2] = value;
    return with(matrix, i, row);
  }

  private static double[][] filled(double value) {
    double[][] matrix = rows(N);
    for (double[] row : matrix) {
      Arrays.fill(row, value);
    }
    return matrix;
  }

  private static void assertThrows(Call call, BatchNormLayer layer) {
    assertThatExceptionOfType(RuntimeException.class)
        .isThrownBy(() -> call.on(layer))
        .isInstanceOfAny(IllegalArgumentException.class, NullPointerException.class);
  }

  private void assertNoGraph() {
    String rule = " needs the graph of a forward: none was made yet, or the last one failed";
    assertThatIllegalStateException()
        .isThrownBy(() -> layer.backward(DOUT))
        .withMessage("backward" + rule);
    assertThatIllegalStateException()
        .isThrownBy(() -> layer.backward(DOUT, rows(N)))
        .withMessage("backward" + rule);
    assertThatIllegalStateException().isThrownBy(layer::graph).withMessage("graph" + rule);
  }

  /** The next batch goes as if nothing had happened. */
  private void assertGoesOnLikeTwin() {
    assertThat(bits(layer.forward(NEXT_X))).isEqualTo(bits(twin.forward(NEXT_X)));
    assertThat(bits(layer.graph())).isEqualTo(bits(twin.graph()));
    assertThat(bits(layer.backward(DOUT))).isEqualTo(bits(twin.backward(DOUT)));
    assertThat(bits(layer.infer(X))).isEqualTo(bits(twin.infer(X)));
    assertThat(bits(layer.inferBackward(X, DOUT))).isEqualTo(bits(twin.inferBackward(X, DOUT)));
    assertThat(Snapshot.of(layer)).isEqualTo(Snapshot.of(twin));
  }

  @Nested
  @ParameterizedClass(name = "{0}")
  @EnumSource(BadForward.class)
  class A_forward_that_throws {
    @Parameter BadForward bad;

    @Test
    void leaves_parameters_and_running_statistics_bit_for_bit() {
      Snapshot before = Snapshot.of(layer);
      assertThrows(bad.call, layer);
      assertThat(Snapshot.of(layer)).isEqualTo(before);
    }

    @Test
    void leaves_a_new_layer_as_it_was() {
      BatchNormLayer fresh = layer();
      assertThrows(bad.call, fresh);
      assertThat(Snapshot.of(fresh)).isEqualTo(Snapshot.of(layer()));
      assertThatIllegalStateException().isThrownBy(() -> fresh.backward(DOUT));
    }

    @Test
    void takes_the_graph_away() {
      assertThrows(bad.call, layer);
      assertNoGraph();
    }

    @Test
    void takes_the_graph_away_until_a_forward_succeeds_and_not_only_for_one_call() {
      assertThrows(bad.call, layer);
      layer.infer(X);
      layer.inferBackward(X, DOUT);
      assertNoGraph();
      assertNoGraph();
    }

    @Test
    void does_not_disturb_the_next_one() {
      assertThrows(bad.call, layer);
      assertGoesOnLikeTwin();
    }
  }

  @Nested
  @ParameterizedClass(name = "{0}")
  @EnumSource(BadCall.class)
  class A_call_other_than_forward_that_throws {
    @Parameter BadCall bad;

    @Test
    void leaves_parameters_and_running_statistics_bit_for_bit() {
      Snapshot before = Snapshot.of(layer);
      assertThrows(bad.call, layer);
      assertThat(Snapshot.of(layer)).isEqualTo(before);
    }

    @Test
    void leaves_the_graph() {
      assertThrows(bad.call, layer);
      assertThat(bits(layer.graph())).isEqualTo(bits(twin.graph()));
      assertThat(bits(layer.backward(DOUT))).isEqualTo(bits(twin.backward(DOUT)));
    }

    @Test
    void does_not_disturb_the_next_forward() {
      assertThrows(bad.call, layer);
      assertGoesOnLikeTwin();
    }
  }

  @Nested
  class A_call_that_throws_for_a_spoilt_gamma_or_beta {
    private final List<Call> calls =
        List.of(
            layer -> layer.forward(X),
            layer -> layer.forward(X, rows(N)),
            layer -> layer.infer(X),
            layer -> layer.infer(X, rows(N)),
            layer -> layer.inferBackward(X, DOUT));

    @Test
    void does_not_touch_the_spoilt_value_or_anything_else() {
      layer.gamma()[1] = Double.NaN;
      layer.beta()[2] = Double.POSITIVE_INFINITY;
      Snapshot before = Snapshot.of(layer);
      for (Call call : calls) {
        assertThrows(call, layer);
        assertThat(Snapshot.of(layer)).isEqualTo(before);
      }
    }

    @Test
    void lets_the_layer_go_on_once_the_value_is_mended() {
      for (Call call : calls) {
        layer.beta()[2] = Double.NaN;
        assertThrows(call, layer);
        layer.beta()[2] = BETA[2];
      }
      assertNoGraph(); // two of the calls were a forward
      assertGoesOnLikeTwin();
    }
  }

  @Nested
  class The_arrays_of_a_call_that_throws {
    // a value that no computation here would give
    private final double[][] written = filled(-4242);

    private void assertUntouched() {
      assertThat(bits(written)).isEqualTo(bits(filled(-4242)));
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, 1e200}) // (1e200)² > 1.8e308
    void forward_does_not_write_out(double value) {
      for (int i : new int[] {0, 9, N - 1}) {
        double[][] x = with(X, i, value);
        assertThrows(layer -> layer.forward(x, written), layer);
        assertUntouched();
      }
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, 1e200})
    void forward_in_place_does_not_write_x(double value) {
      for (int i : new int[] {0, 9, N - 1}) {
        double[][] x = copy(with(X, i, value));
        assertThrows(layer -> layer.forward(x, x), layer);
        assertThat(bits(x)).isEqualTo(bits(with(X, i, value)));
      }
    }

    @Test
    void forward_does_not_write_out_for_a_spoilt_gamma() {
      layer.gamma()[D - 1] = Double.NaN;
      assertThrows(layer -> layer.forward(X, written), layer);
      assertUntouched();
    }

    @Test
    void forward_does_not_write_an_out_whose_last_row_is_of_another_length() {
      written[N - 1] = new double[D + 1];
      assertThrows(layer -> layer.forward(X, written), layer);
      written[N - 1] = filled(-4242)[0];
      assertUntouched();
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY})
    void backward_does_not_write_dx(double value) {
      for (int i : new int[] {0, 9, N - 1}) {
        double[][] dout = with(DOUT, i, value);
        assertThrows(layer -> layer.backward(dout, written), layer);
        assertUntouched();
      }
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY})
    void backward_in_place_does_not_write_dout(double value) {
      for (int i : new int[] {0, 9, N - 1}) {
        double[][] dout = copy(with(DOUT, i, value));
        assertThrows(layer -> layer.backward(dout, dout), layer);
        assertThat(bits(dout)).isEqualTo(bits(with(DOUT, i, value)));
      }
    }

    @Test
    void backward_does_not_write_dx_when_a_gradient_overflows() {
      // dbeta = 2 * 1e308 > 1.8e308
      double[][] dout = with(with(DOUT, 8, 1e308), 9, 1e308);
      assertThrows(layer -> layer.backward(dout, written), layer);
      assertUntouched();
    }

    @Test
    void backward_does_not_write_dx_without_a_graph() {
      BatchNormLayer fresh = layer();
      assertThatIllegalStateException().isThrownBy(() -> fresh.backward(DOUT, written));
      assertUntouched();
    }

    @Test
    void infer_does_not_write_the_row_it_refuses_nor_those_after_it() {
      double[][] x = with(X, 9, Double.NaN);
      assertThrows(layer -> layer.infer(x, written), layer);
      for (int i = 9; i < N; i++) {
        assertThat(written[i]).containsOnly(-4242);
      }
    }

    @Test
    void infer_in_place_does_not_write_the_row_it_refuses_nor_those_after_it() {
      double[][] x = copy(with(X, 9, Double.NaN));
      assertThrows(layer -> layer.infer(x, x), layer);
      for (int i = 9; i < N; i++) {
        assertThat(bits(x[i])).isEqualTo(bits(with(X, 9, Double.NaN)[i]));
      }
    }
  }

  @Nested
  class Backward {

    @Test
    void gives_the_same_bits_again_for_the_same_dout() {
      List<Object> first = bits(layer.backward(DOUT));
      assertThat(bits(layer.backward(DOUT))).isEqualTo(first);
      layer.backward(OTHER_DOUT);
      layer.backward(OTHER_DOUT, rows(N));
      assertThat(bits(layer.backward(DOUT))).isEqualTo(first);
      assertThat(bits(layer.backward(OTHER_DOUT))).isNotEqualTo(first);
    }

    @Test
    void gives_the_same_into_an_array_of_the_caller_and_hands_that_back() {
      double[][] dx = filled(Double.NaN);
      BatchNormGradients gradients = layer.backward(DOUT, dx);
      assertThat(gradients.dx()).isSameAs(dx);
      assertThat(bits(gradients)).isEqualTo(bits(twin.backward(DOUT)));
    }

    @Test
    void takes_the_gamma_of_the_forward_whatever_became_of_it() {
      Arrays.fill(layer.gamma(), 7);
      Arrays.fill(layer.beta(), 8);
      assertThat(bits(layer.backward(DOUT))).isEqualTo(bits(twin.backward(DOUT)));
      // a step of an optimizer between two calls
      layer.gamma()[0] -= 0.1;
      assertThat(bits(layer.backward(DOUT))).isEqualTo(bits(twin.backward(DOUT)));
      layer.forward(X);
      assertThat(bits(layer.backward(DOUT))).isNotEqualTo(bits(twin.backward(DOUT)));
    }

    @Test
    void belongs_to_the_last_forward() {
      layer.forward(NEXT_X);
      BatchNormLayer fresh = layer();
      fresh.forward(NEXT_X);
      assertThat(bits(layer.backward(DOUT))).isEqualTo(bits(fresh.backward(DOUT)));
      assertThat(bits(layer.backward(DOUT))).isNotEqualTo(bits(twin.backward(DOUT)));
    }

    @Test
    void changes_no_state() {
      Snapshot before = Snapshot.of(layer);
      layer.backward(DOUT);
      layer.backward(copy(DOUT), rows(N));
      layer.graph();
      assertThat(Snapshot.of(layer)).isEqualTo(before);
      assertThat(bits(layer.graph())).isEqualTo(bits(twin.graph()));
    }
  }

  @Nested
  class Infer_and_inferBackward {

    @Test
    void change_no_state() {
      Snapshot before = Snapshot.of(layer);
      layer.infer(NEXT_X);
      layer.infer(NEXT_X, rows(N));
      layer.inferBackward(NEXT_X, DOUT);
      assertThat(Snapshot.of(layer)).isEqualTo(before);
    }

    @Test
    void leave_the_graph_of_the_last_forward() {
      layer.infer(NEXT_X);
      layer.infer(input(new Random(20), 2 * N, D)); // another N
      layer.inferBackward(NEXT_X, DOUT);
      assertThat(bits(layer.graph())).isEqualTo(bits(twin.graph()));
      assertThat(bits(layer.backward(DOUT))).isEqualTo(bits(twin.backward(DOUT)));
    }

    @Test
    void use_the_gamma_and_beta_of_the_moment() {
      double[][] out = layer.infer(X);
      layer.gamma()[1] = 0;
      layer.beta()[1] = 0.5;
      double[][] changed = layer.infer(X);
      assertThat(TestData.column(changed, 1)).containsOnly(0.5);
      assertThat(TestData.column(changed, 0)).isEqualTo(TestData.column(out, 0));
      // the derivative by x of a constant
      assertThat(TestData.largest(new double[][] {TestData.column(gradientByX(), 1)})).isZero();
    }

    private double[][] gradientByX() {
      return layer.inferBackward(X, DOUT).dx();
    }

    @Test
    void infer_gives_the_same_into_an_array_of_the_caller_and_hands_that_back() {
      double[][] out = filled(Double.NaN);
      assertThat(layer.infer(X, out)).isSameAs(out);
      assertThat(bits(out)).isEqualTo(bits(layer.infer(X)));
    }
  }

  @Nested
  class Forward {

    @Test
    void gives_the_same_into_an_array_of_the_caller_and_hands_that_back() {
      double[][] out = filled(Double.NaN);
      assertThat(layer.forward(NEXT_X, out)).isSameAs(out);
      assertThat(bits(out)).isEqualTo(bits(twin.forward(NEXT_X)));
      assertThat(bits(layer.graph())).isEqualTo(bits(twin.graph()));
      assertThat(Snapshot.of(layer)).isEqualTo(Snapshot.of(twin));
    }

    @Test
    void changes_neither_gamma_nor_beta() {
      assertThat(layer.gamma()).containsExactly(GAMMA);
      assertThat(layer.beta()).containsExactly(BETA);
    }

    @Test
    void uses_the_gamma_and_beta_of_the_moment() {
      double[] gamma = {2, 0, -4, 0.5};
      double[] beta = {1, 2, 3, 4};
      System.arraycopy(gamma, 0, layer.gamma(), 0, D);
      System.arraycopy(beta, 0, layer.beta(), 0, D);
      BatchNormLayer built = BatchNormLayer.builder(D).gamma(gamma).beta(beta).build();
      assertThat(bits(layer.forward(NEXT_X))).isEqualTo(bits(built.forward(NEXT_X)));
      assertThat(bits(layer.backward(DOUT))).isEqualTo(bits(built.backward(DOUT)));
    }

    /** Each N after each other: fewer rows, more rows, cuts of the matrix of another kind. */
    @ParameterizedTest(name = "of {0}, {1}, {2}, {3} rows of {4} (seed 21)")
    @CsvSource({"18, 5, 18, 40, 4", "2, 3, 2, 33, 1", "3001, 100, 2000, 3001, 40"})
    void gives_the_same_bits_as_in_a_fresh_layer(int n0, int n1, int n2, int n3, int d) {
      Random random = new Random(21);
      double[] gamma = gaussian(random, d);
      BatchNormLayer reused = BatchNormLayer.builder(d).gamma(gamma).build();
      for (int n : new int[] {n0, n1, n2, n3}) {
        double[][] x = input(random, n, d);
        double[][] dout = gaussian(random, n, d);
        BatchNormLayer fresh = BatchNormLayer.builder(d).gamma(gamma).build();
        assertThat(bits(reused.forward(x)).equals(bits(fresh.forward(x)))).isTrue();
        assertThat(bits(reused.graph()).equals(bits(fresh.graph()))).isTrue();
        assertThat(bits(reused.backward(dout)).equals(bits(fresh.backward(dout)))).isTrue();
      }
    }
  }

  @Nested
  class Running_statistics {
    // mean (0 + 0 + 0 + 4) / 4 = 1, squares 1 + 1 + 1 + 9 = 12: population variance 12 / 4 = 3,
    // sample variance 12 / 3 = 4; the second column is minus twice the first
    private final double[][] first = {{0, 0}, {0, 0}, {0, 0}, {4, -8}};
    // mean (4 + 8) / 2 = 6, squares 4 + 4 = 8: population variance 4, sample variance 8
    private final double[][] second = {{4, -8}, {8, -16}};
    // mean (1 + 2 + 3) / 3 = 2, squares 1 + 0 + 1 = 2: population variance 2 / 3, sample variance 1
    private final double[][] third = {{1, -2}, {2, -4}, {3, -6}};

    private final BatchNormLayer.Builder builder = BatchNormLayer.builder(2);

    @Test
    void start_at_mean_0_and_variance_1() {
      BatchNormLayer built = builder.build();
      assertThat(built.runningMean()).containsExactly(0, 0);
      assertThat(built.runningVar()).containsExactly(1, 1);
      assertThat(built.batchesTracked()).isZero();
    }

    @Test
    void take_in_each_batch_with_the_smoothing_factor_and_the_sample_variance() {
      BatchNormLayer built = builder.smoothingFactor(0.25).build();
      built.forward(first);
      // 0.75 * 0 + 0.25 * 1 and 0.75 * 0 - 0.25 * 2
      assertThat(built.runningMean()).containsExactly(0.25, -0.5);
      // 0.75 * 1 + 0.25 * 4 and 0.75 * 1 + 0.25 * 16
      assertThat(built.runningVar()).containsExactly(1.75, 4.75);
      built.forward(second);
      // 0.75 * 0.25 + 0.25 * 6 and -0.75 * 0.5 - 0.25 * 12
      assertThat(built.runningMean()).containsExactly(1.6875, -3.375);
      // 0.75 * 1.75 + 0.25 * 8 and 0.75 * 4.75 + 0.25 * 32
      assertThat(built.runningVar()).containsExactly(3.3125, 11.5625);
    }

    @Test
    void give_a_new_batch_the_weight_of_a_tenth_by_default() {
      BatchNormLayer built = builder.build();
      built.forward(first);
      // 0.9 * 0 + 0.1 * 1 and 0.9 * 0 - 0.1 * 2
      assertThat(built.runningMean()).containsExactly(0.1, -0.2);
      // 0.9 * 1 + 0.1 * 4 and 0.9 * 1 + 0.1 * 16, rounded
      assertThat(built.runningVar()).containsExactly(new double[] {1.3, 2.5}, within(1e-15));
    }

    @Test
    void are_the_last_batch_with_a_smoothing_factor_of_1() {
      BatchNormLayer built = builder.smoothingFactor(1).build();
      built.forward(first);
      assertThat(built.runningMean()).containsExactly(1, -2);
      assertThat(built.runningVar()).containsExactly(4, 16);
      built.forward(second);
      assertThat(built.runningMean()).containsExactly(6, -12);
      assertThat(built.runningVar()).containsExactly(8, 32);
    }

    @Test
    void are_the_plain_average_over_all_batches_with_the_cumulative_average() {
      BatchNormLayer built = builder.cumulativeAverage().build();
      built.forward(first);
      assertThat(built.runningMean()).containsExactly(1, -2);
      assertThat(built.runningVar()).containsExactly(4, 16);
      built.forward(second);
      // (1 + 6) / 2 and (4 + 8) / 2, for all that one batch has twice the rows of the other
      assertThat(built.runningMean()).containsExactly(3.5, -7);
      assertThat(built.runningVar()).containsExactly(6, 24);
      built.forward(third);
      // (1 + 6 + 2) / 3 and (4 + 8 + 1) / 3, where a = 1 / 3 is rounded
      assertThat(built.runningMean()).containsExactly(new double[] {3, -6}, within(1e-15));
      assertThat(built.runningVar())
          .containsExactly(new double[] {13 / 3.0, 52 / 3.0}, within(1e-14));
    }

    @Test
    void follow_the_last_of_smoothing_factor_and_cumulative_average() {
      BatchNormLayer cumulative = builder.smoothingFactor(0.25).cumulativeAverage().build();
      cumulative.forward(first);
      assertThat(cumulative.runningMean()).containsExactly(1, -2);
      BatchNormLayer smoothed = builder.cumulativeAverage().smoothingFactor(0.25).build();
      smoothed.forward(first);
      assertThat(smoothed.runningMean()).containsExactly(0.25, -0.5);
    }

    @Test
    void are_what_infer_normalizes_with() {
      BatchNormLayer built = builder.smoothingFactor(1).epsilon(12).build();
      built.forward(first);
      // mean 1, √(4 + 12) = 4 and mean -2, √(16 + 12) = √28
      assertThat(built.infer(new double[][] {{9, -2}})[0]).containsExactly(2, 0);
      built.forward(second);
      // mean 6, √(8 + 12) = √20 and mean -12
      assertThat(built.infer(new double[][] {{6, -12}})[0]).containsExactly(0, 0);
    }

    @Test
    void count_the_forwards_that_succeeded() {
      BatchNormLayer built = builder.build();
      built.forward(first);
      built.infer(first);
      built.inferBackward(first, first);
      built.backward(first);
      assertThat(built.batchesTracked()).isEqualTo(1);
      assertThatIllegalArgumentException().isThrownBy(() -> built.forward(new double[1][2]));
      assertThat(built.batchesTracked()).isEqualTo(1);
      built.forward(second, new double[2][2]);
      assertThat(built.batchesTracked()).isEqualTo(2);
    }
  }

  @Nested
  class A_builder {

    private static void assertSame(BatchNormLayer actual, BatchNormLayer expected) {
      assertThat(Snapshot.of(actual)).isEqualTo(Snapshot.of(expected));
      assertThat(actual.epsilon()).isEqualTo(expected.epsilon());
      assertThat(actual.features()).isEqualTo(expected.features());
      assertThat(bits(actual.forward(X))).isEqualTo(bits(expected.forward(X)));
      assertThat(bits(actual.backward(DOUT))).isEqualTo(bits(expected.backward(DOUT)));
      assertThat(Snapshot.of(actual)).isEqualTo(Snapshot.of(expected));
    }

    @Test
    void has_the_defaults_of_the_constructor() {
      BatchNormLayer built = BatchNormLayer.builder(D).build();
      assertThat(built.gamma()).containsExactly(1, 1, 1, 1);
      assertThat(built.beta()).containsExactly(0, 0, 0, 0);
      assertThat(built.epsilon()).isEqualTo(1e-5);
      assertThat(built.features()).isEqualTo(D);
      assertSame(built, new BatchNormLayer(D));
    }

    @Test
    void has_the_defaults_that_are_documented() {
      BatchNormLayer explicit =
          BatchNormLayer.builder(D)
              .gamma(new double[] {1, 1, 1, 1})
              .beta(new double[D])
              .epsilon(1e-5)
              .smoothingFactor(0.1)
              .build();
      assertSame(explicit, new BatchNormLayer(D));
    }

    @Test
    void copies_gamma_and_beta() {
      double[] gamma = GAMMA.clone();
      double[] beta = BETA.clone();
      BatchNormLayer.Builder builder = BatchNormLayer.builder(D).gamma(gamma).beta(beta);
      Arrays.fill(gamma, Double.NaN);
      Arrays.fill(beta, Double.NaN);
      BatchNormLayer built = builder.build();
      assertThat(built.gamma()).containsExactly(GAMMA);
      assertThat(built.beta()).containsExactly(BETA);
      Arrays.fill(built.gamma(), 3);
      Arrays.fill(built.beta(), 4);
      assertThat(gamma).containsOnly(Double.NaN);
      assertThat(beta).containsOnly(Double.NaN);
    }

    @Test
    void builds_layers_that_are_independent_of_each_other() {
      BatchNormLayer.Builder builder = BatchNormLayer.builder(D).gamma(GAMMA).beta(BETA);
      BatchNormLayer spoilt = builder.build();
      spoilt.forward(NEXT_X);
      Arrays.fill(spoilt.gamma(), Double.NaN);
      Arrays.fill(spoilt.beta(), Double.NaN);
      assertSame(builder.build(), BatchNormLayer.builder(D).gamma(GAMMA).beta(BETA).build());
    }

    @Test
    void may_be_changed_after_it_has_built_a_layer() {
      BatchNormLayer.Builder builder = BatchNormLayer.builder(D).gamma(GAMMA).epsilon(0.5);
      BatchNormLayer built = builder.build();
      builder.gamma(new double[D]).beta(BETA).epsilon(2).smoothingFactor(1);
      assertSame(built, BatchNormLayer.builder(D).gamma(GAMMA).epsilon(0.5).build());
    }
  }
}
