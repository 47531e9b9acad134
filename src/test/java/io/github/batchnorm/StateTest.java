package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.assertSameBits;
import static io.github.batchnorm.Snapshot.bits;
import static io.github.batchnorm.TestData.copy;
import static io.github.batchnorm.TestData.filled;
import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestData.input;
import static io.github.batchnorm.TestData.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

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
    NULL_X_INTO(layer -> layer.forward(null, zeros(N))),
    NULL_ROW(layer -> layer.forward(with(X, 9, null))),
    NO_ROW(layer -> layer.forward(zeros(0))),
    ONE_ROW(layer -> layer.forward(zeros(1))),
    RAGGED(layer -> layer.forward(with(X, 9, new double[D + 1]))),
    NAN(layer -> layer.forward(with(X, 9, 2, Double.NaN))),
    INFINITY_IN_ROW_0(layer -> layer.forward(with(X, 0, 2, Double.POSITIVE_INFINITY))),
    INFINITY_AT_THE_END(layer -> layer.forward(with(X, N - 1, 2, Double.NEGATIVE_INFINITY))),
    NAN_AND_ANOTHER_N(layer -> layer.forward(with(zeros(N + 5), 9, 2, Double.NaN))),
    NAN_INTO(layer -> layer.forward(with(X, 9, 2, Double.NaN), zeros(N))),
    OVERFLOW(layer -> layer.forward(with(X, 9, 2, 1e200))), // (1e200)² > 1.8e308
    OVERFLOW_OF_A_DIFFERENCE(
        layer -> layer.forward(with(with(X, 8, 2, -Double.MAX_VALUE), 9, 2, Double.MAX_VALUE))),
    OUT_NULL(layer -> layer.forward(NEXT_X, null)),
    OUT_WITH_NULL_ROW(layer -> layer.forward(NEXT_X, with(X, 9, null))),
    OUT_OF_ANOTHER_SHAPE(layer -> layer.forward(NEXT_X, zeros(N - 1)));

    final Call call;

    BadForward(Call call) {
      this.call = call;
    }
  }

  /** One call for every reason why a call throws that is no forward. */
  enum BadCall {
    BACKWARD_NULL(layer -> layer.backward(null)),
    BACKWARD_NULL_ROW(layer -> layer.backward(with(DOUT, 9, null))),
    BACKWARD_ANOTHER_N(layer -> layer.backward(zeros(N + 1))),
    BACKWARD_RAGGED(layer -> layer.backward(with(DOUT, 9, new double[D - 1]))),
    BACKWARD_NAN(layer -> layer.backward(with(DOUT, 9, 2, Double.NaN))),
    BACKWARD_INFINITY(layer -> layer.backward(with(DOUT, 0, 2, Double.NEGATIVE_INFINITY))),
    BACKWARD_OVERFLOW(layer -> layer.backward(with(with(DOUT, 8, 2, 1e308), 9, 2, 1e308))),
    BACKWARD_INTO_NULL(layer -> layer.backward(DOUT, null)),
    BACKWARD_INTO_ANOTHER_SHAPE(layer -> layer.backward(DOUT, zeros(N - 1))),
    BACKWARD_INTO_NAN(layer -> layer.backward(with(DOUT, 9, 2, Double.NaN), zeros(N))),
    INFER_NULL(layer -> layer.infer((double[][]) null)),
    INFER_NULL_ROW(layer -> layer.infer(with(X, 9, null))),
    INFER_NO_ROW(layer -> layer.infer(zeros(0))),
    INFER_RAGGED(layer -> layer.infer(with(X, 9, new double[D - 1]))),
    INFER_NAN(layer -> layer.infer(with(X, 9, 2, Double.NaN))),
    INFER_INTO_NULL(layer -> layer.infer(X, null)),
    INFER_INTO_ANOTHER_SHAPE(layer -> layer.infer(X, zeros(N - 1))),
    INFER_INTO_NAN(layer -> layer.infer(with(X, 9, 2, Double.NaN), zeros(N))),
    INFER_BACKWARD_NULL_X(layer -> layer.inferBackward(null, DOUT)),
    INFER_BACKWARD_NULL_DOUT(layer -> layer.inferBackward(X, null)),
    INFER_BACKWARD_RAGGED(layer -> layer.inferBackward(with(X, 9, new double[D - 1]), DOUT)),
    INFER_BACKWARD_ANOTHER_SHAPE(layer -> layer.inferBackward(X, zeros(N - 1))),
    INFER_BACKWARD_NAN_IN_X(layer -> layer.inferBackward(with(X, 9, 2, Double.NaN), DOUT)),
    INFER_BACKWARD_NAN_IN_DOUT(layer -> layer.inferBackward(X, with(DOUT, 9, 2, Double.NaN))),
    INFER_BACKWARD_OVERFLOW(
        layer -> layer.inferBackward(X, with(with(DOUT, 8, 2, 1e308), 9, 2, 1e308)));

    final Call call;

    BadCall(Call call) {
      this.call = call;
    }
  }

  private static double[][] zeros(int n) {
    return new double[n][D];
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
        .isThrownBy(() -> layer.backward(DOUT, zeros(N)))
        .withMessage("backward" + rule);
    assertThatIllegalStateException().isThrownBy(layer::graph).withMessage("graph" + rule);
  }

  /** The next batch goes as if nothing had happened. */
  private void assertGoesOnLikeTwin() {
    assertSameBits(layer.forward(NEXT_X), twin.forward(NEXT_X));
    assertSameBits(layer.graph(), twin.graph());
    assertSameBits(layer.backward(DOUT), twin.backward(DOUT));
    assertSameBits(layer.infer(X), twin.infer(X));
    assertSameBits(layer.inferBackward(X, DOUT), twin.inferBackward(X, DOUT));
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
      assertSameBits(layer.graph(), twin.graph());
      assertSameBits(layer.backward(DOUT), twin.backward(DOUT));
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
            layer -> layer.forward(X, zeros(N)),
            layer -> layer.infer(X),
            layer -> layer.infer(X, zeros(N)),
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
  class An_output_of_its_own_is_not_written {
    private final double[][] output = filled(N, D, -4242);

    @AfterEach
    void assertUntouched() {
      assertSameBits(output, filled(N, D, -4242));
    }

    @Test
    void by_forward_with_a_spoilt_gamma() {
      layer.gamma()[D - 1] = Double.NaN;
      assertThrows(layer -> layer.forward(X, output), layer);
    }

    @Test
    void by_forward_if_its_last_row_is_of_another_length() {
      double[][] ragged = with(output, N - 1, new double[D + 1]);
      assertThrows(layer -> layer.forward(X, ragged), layer);
    }

    @Test
    void by_backward_without_a_graph() {
      BatchNormLayer fresh = layer();
      assertThatIllegalStateException().isThrownBy(() -> fresh.backward(DOUT, output));
    }
  }

  /** Nothing is written before all is known to be finite, however the matrix is cut. */
  @Nested
  @DisplayName("In place nothing is lost by a call that throws (seed 31)")
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
  class In_place_nothing_is_lost_by {
    @Parameter(0)
    int n;

    @Parameter(1)
    int d;

    private double[][] x;
    private double[][] dout;
    private BatchNormLayer trained;
    private BatchNormLayer undisturbed;

    @BeforeEach
    void train() {
      Random random = new Random(31);
      x = input(random, n, d);
      dout = gaussian(random, n, d);
      BatchNormLayer.Builder builder =
          BatchNormLayer.builder(d).gamma(gaussian(random, d)).beta(gaussian(random, d));
      trained = builder.build();
      undisturbed = builder.build();
      trained.forward(x);
      undisturbed.forward(x);
    }

    private void assertLosesNothing(double[][] input, double[][] output, Call call) {
      double[][] inputBefore = copy(input);
      double[][] outputBefore = copy(output);
      assertThatIllegalArgumentException().isThrownBy(() -> call.on(trained));
      assertSameBits(input, inputBefore);
      assertSameBits(output, outputBefore);
      assertThat(Snapshot.of(trained)).isEqualTo(Snapshot.of(undisturbed));
    }

    @ParameterizedTest
    @EnumSource(InPlace.class)
    void a_forward_that_throws(InPlace kind) {
      for (int i : new int[] {0, n / 2, n - 1}) {
        for (double value : new double[] {Double.NaN, Double.NEGATIVE_INFINITY, 1e200}) {
          double[][] bad = copy(with(x, i, d - 1, value)); // (1e200)² > 1.8e308
          double[][] out = kind.output(bad);
          assertLosesNothing(bad, out, layer -> layer.forward(bad, out));
          assertThatIllegalStateException().isThrownBy(() -> trained.backward(dout));
        }
      }
      assertSameBits(trained.forward(x), undisturbed.forward(x));
      assertSameBits(trained.graph(), undisturbed.graph());
      assertSameBits(trained.backward(dout), undisturbed.backward(dout));
    }

    @ParameterizedTest
    @EnumSource(InPlace.class)
    void a_backward_that_throws(InPlace kind) {
      for (double value : new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.MAX_VALUE}) {
        // the sum of two overflows if they are finite
        double[][] bad = copy(with(with(dout, n - 1, d - 1, value), n - 2, d - 1, value));
        double[][] dx = kind.output(bad);
        assertLosesNothing(bad, dx, layer -> layer.backward(bad, dx));
      }
      assertSameBits(trained.graph(), undisturbed.graph());
      assertSameBits(trained.backward(dout), undisturbed.backward(dout));
    }

    @ParameterizedTest
    @EnumSource(InPlace.class)
    void an_infer_that_throws(InPlace kind) {
      for (int i : new int[] {0, n / 2, n - 1}) {
        double[][] bad = copy(with(x, i, d - 1, Double.NaN));
        double[][] out = kind.output(bad);
        assertLosesNothing(bad, out, layer -> layer.infer(bad, out));
      }
    }

    @Test
    void a_call_that_throws_and_whose_output_has_rows_of_its_own() {
      double[][] badX = with(x, n - 1, d - 1, Double.NaN);
      double[][] badDout = with(dout, n - 1, d - 1, Double.NaN);
      assertLosesNothing(badDout, badDout, layer -> layer.backward(badDout, new double[n][d]));
      assertLosesNothing(badX, badX, layer -> layer.forward(badX, new double[n][d]));
      assertLosesNothing(badX, badX, layer -> layer.infer(badX, new double[n][d]));
    }
  }

  @Nested
  class Backward {

    @Test
    void gives_the_same_bits_again_for_the_same_dout() {
      BatchNormGradients first = layer.backward(DOUT);
      assertSameBits(layer.backward(DOUT), first);
      BatchNormGradients other = layer.backward(OTHER_DOUT);
      layer.backward(OTHER_DOUT, zeros(N));
      assertSameBits(layer.backward(DOUT), first);
      assertThat(bits(other)).isNotEqualTo(bits(first));
    }

    @Test
    void gives_the_same_into_an_array_of_the_caller_and_hands_that_back() {
      double[][] dx = filled(N, D, Double.NaN);
      BatchNormGradients gradients = layer.backward(DOUT, dx);
      assertThat(gradients.dx()).isSameAs(dx);
      assertSameBits(gradients, twin.backward(DOUT));
    }

    @Test
    void takes_the_gamma_of_the_forward_whatever_became_of_it() {
      Arrays.fill(layer.gamma(), 7);
      Arrays.fill(layer.beta(), 8);
      assertSameBits(layer.backward(DOUT), twin.backward(DOUT));
      // a step of an optimizer between two calls
      layer.gamma()[0] -= 0.1;
      assertSameBits(layer.backward(DOUT), twin.backward(DOUT));
      layer.forward(X);
      assertThat(bits(layer.backward(DOUT))).isNotEqualTo(bits(twin.backward(DOUT)));
    }

    @Test
    void belongs_to_the_last_forward() {
      layer.forward(NEXT_X);
      BatchNormLayer fresh = layer();
      fresh.forward(NEXT_X);
      assertSameBits(layer.backward(DOUT), fresh.backward(DOUT));
      assertThat(bits(layer.backward(DOUT))).isNotEqualTo(bits(twin.backward(DOUT)));
    }

    @Test
    void changes_no_state() {
      Snapshot before = Snapshot.of(layer);
      layer.backward(DOUT);
      layer.backward(copy(DOUT), zeros(N));
      layer.graph();
      assertThat(Snapshot.of(layer)).isEqualTo(before);
      assertSameBits(layer.graph(), twin.graph());
    }
  }

  @Nested
  class Infer_and_inferBackward {

    @Test
    void change_no_state() {
      Snapshot before = Snapshot.of(layer);
      layer.infer(NEXT_X);
      layer.infer(NEXT_X, zeros(N));
      layer.inferBackward(NEXT_X, DOUT);
      assertThat(Snapshot.of(layer)).isEqualTo(before);
    }

    @Test
    void leave_the_graph_of_the_last_forward() {
      layer.infer(NEXT_X);
      layer.infer(input(new Random(20), 2 * N, D)); // another N
      layer.inferBackward(NEXT_X, DOUT);
      assertSameBits(layer.graph(), twin.graph());
      assertSameBits(layer.backward(DOUT), twin.backward(DOUT));
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
      double[][] out = filled(N, D, Double.NaN);
      assertThat(layer.infer(X, out)).isSameAs(out);
      assertSameBits(out, layer.infer(X));
    }
  }

  @Nested
  class Forward {

    @Test
    void gives_the_same_into_an_array_of_the_caller_and_hands_that_back() {
      double[][] out = filled(N, D, Double.NaN);
      assertThat(layer.forward(NEXT_X, out)).isSameAs(out);
      assertSameBits(out, twin.forward(NEXT_X));
      assertSameBits(layer.graph(), twin.graph());
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
      assertSameBits(layer.forward(NEXT_X), built.forward(NEXT_X));
      assertSameBits(layer.backward(DOUT), built.backward(DOUT));
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
      Random random = new Random(21);
      double[] gamma = gaussian(random, d);
      BatchNormLayer reused = BatchNormLayer.builder(d).gamma(gamma).build();
      for (int n : new int[] {n0, n1, n2, n3, n0}) {
        double[][] x = input(random, n, d);
        double[][] dout = gaussian(random, n, d);
        BatchNormLayer fresh = BatchNormLayer.builder(d).gamma(gamma).build();
        assertSameBits(reused.forward(x), fresh.forward(x));
        assertSameBits(reused.graph(), fresh.graph());
        assertSameBits(reused.backward(dout), fresh.backward(dout));
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
      assertSameBits(actual.forward(X), expected.forward(X));
      assertSameBits(actual.backward(DOUT), expected.backward(DOUT));
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
