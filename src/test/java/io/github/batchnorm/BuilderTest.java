package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.assertGoOnAlike;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.util.Arrays;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The settings of a layer: what they are if none is made, which are taken, whose the arrays are.
 */
@DisplayName("Builder (2 columns, seed 83)")
class BuilderTest {
  private static final Problem P = Problem.of(5, 2, 83);
  private static final double[] GAMMA = {2, -4};
  private static final double[] BETA = {5, 6};

  private final BatchNormLayer.Builder builder = BatchNormLayer.builder(2);

  private static void assertSame(BatchNormLayer actual, BatchNormLayer expected) {
    assertThat(actual.state()).isEqualTo(expected.state());
    assertGoOnAlike(actual, expected, P);
  }

  @Test
  void has_the_defaults_of_the_constructor() {
    BatchNormLayer layer = builder.build();
    assertThat(layer.gamma()).containsExactly(1, 1);
    assertThat(layer.beta()).containsExactly(0, 0);
    assertThat(layer.epsilon()).isEqualTo(1e-5);
    assertThat(layer.smoothingFactor()).isEqualTo(0.1);
    assertThat(layer.cumulativeAverage()).isFalse();
    assertThat(layer.populationRunningVar()).isFalse();
    assertThat(layer.parallel()).isTrue();
    assertThat(layer.features()).isEqualTo(2);
    assertSame(layer, new BatchNormLayer(2));
  }

  @Test
  void copies_its_arrays() {
    double[] gamma = GAMMA.clone();
    double[] beta = BETA.clone();
    double[] mean = {1, -2};
    double[] var = {4, 16};
    builder.gamma(gamma).beta(beta).runningStatistics(mean, var, 3);
    List<double[]> arrays = List.of(gamma, beta, mean, var);
    arrays.forEach(array -> Arrays.fill(array, Double.NaN));
    BatchNormLayer layer = builder.build();
    assertThat(layer.gamma()).containsExactly(GAMMA);
    assertThat(layer.beta()).containsExactly(BETA);
    assertThat(layer.runningMean()).containsExactly(1, -2);
    assertThat(layer.runningVar()).containsExactly(4, 16);
    assertThat(layer.batchesTracked()).isEqualTo(3);
    layer.forward(P.x());
    Arrays.fill(layer.gamma(), 3);
    Arrays.fill(layer.beta(), 4);
    assertThat(arrays).allSatisfy(array -> assertThat(array).containsOnly(Double.NaN));
  }

  @Test
  void builds_layers_that_are_independent_of_each_other() {
    BatchNormLayer spoilt = builder.gamma(GAMMA).beta(BETA).build();
    spoilt.forward(P.x());
    Arrays.fill(spoilt.gamma(), Double.NaN);
    Arrays.fill(spoilt.beta(), Double.NaN);
    assertSame(builder.build(), BatchNormLayer.builder(2).gamma(GAMMA).beta(BETA).build());
  }

  @Test
  void may_be_changed_after_it_has_built_a_layer() {
    BatchNormLayer layer = builder.gamma(GAMMA).epsilon(0.5).build();
    builder.gamma(new double[2]).beta(BETA).epsilon(2).smoothingFactor(1).cumulativeAverage();
    builder.runningStatistics(GAMMA.clone(), new double[2], 3).populationRunningVar(true);
    assertSame(layer, BatchNormLayer.builder(2).gamma(GAMMA).epsilon(0.5).build());
  }

  @Nested
  class Refuses {

    private static void with(String message, ThrowingCallable call) {
      assertThatIllegalArgumentException().isThrownBy(call).withMessage(message);
    }

    private static void withNull(String message, ThrowingCallable call) {
      assertThatNullPointerException().isThrownBy(call).withMessage(message);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, Integer.MIN_VALUE})
    void less_than_one_feature(int features) {
      with("features (" + features + ") must be >= 1", () -> new BatchNormLayer(features));
      with("features (" + features + ") must be >= 1", () -> BatchNormLayer.builder(features));
    }

    @ParameterizedTest
    @ValueSource(
        doubles = {
          0x0.fffffffffffffp-1022, // the next double below MIN_NORMAL
          Double.MIN_VALUE,
          0,
          -0.0,
          -1,
          1.1e290,
          Double.NaN,
          Double.POSITIVE_INFINITY,
          Double.NEGATIVE_INFINITY
        })
    void an_epsilon_that_is_no_normal_number_or_overflows_a_variance(double epsilon) {
      String message = "epsilon (" + epsilon + ") must be in [2.2250738585072014E-308, 1.0E290]";
      with(message, () -> builder.epsilon(epsilon));
    }

    @ParameterizedTest
    @ValueSource(
        doubles = {
          0,
          -0.0,
          -0.1,
          1.0000000000000002, // the next double after 1
          2,
          Double.NaN,
          Double.POSITIVE_INFINITY,
          Double.NEGATIVE_INFINITY
        })
    void a_smoothing_factor_that_is_not_above_0_and_at_most_1(double a) {
      with("smoothingFactor (" + a + ") must be in (0, 1]", () -> builder.smoothingFactor(a));
    }

    @Test
    void arrays_that_are_null() {
      withNull("gamma is null", () -> builder.gamma(null));
      withNull("beta is null", () -> builder.beta(null));
      withNull("runningMean is null", () -> builder.runningStatistics(null, new double[2], 0));
      withNull("runningVar is null", () -> builder.runningStatistics(new double[2], null, 0));
      withNull("state is null", () -> BatchNormLayer.builder(null));
    }

    @Test
    void arrays_of_another_length_than_D() {
      with("gamma has 1 value, expected 2", () -> builder.gamma(new double[1]));
      with("beta has 3 values, expected 2", () -> builder.beta(new double[3]));
      with(
          "runningMean has 0 values, expected 2",
          () -> builder.runningStatistics(new double[0], new double[2], 0));
      with(
          "runningVar has 3 values, expected 2",
          () -> builder.runningStatistics(new double[2], new double[3], 0));
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY})
    void values_that_are_not_finite(double value) {
      String rule = " is " + value + ", expected a finite value";
      double[] bad = {1, value};
      with("gamma[1]" + rule, () -> builder.gamma(bad));
      with("beta[0]" + rule, () -> builder.beta(new double[] {value, 0}));
      with("runningMean[1]" + rule, () -> builder.runningStatistics(bad, new double[2], 0));
      with("runningVar[1]" + rule, () -> builder.runningStatistics(new double[2], bad, 0));
    }

    @Test
    void averages_that_no_batches_have() {
      with(
          "runningVar[0] (-1.0) must be >= 0; if another library rounded it below 0, add epsilon"
              + " to every variance and build the layer with a tiny epsilon",
          () -> builder.runningStatistics(new double[2], new double[] {-1, 0}, 0));
      with(
          "batchesTracked (-1) must be >= 0",
          () -> builder.runningStatistics(new double[2], new double[2], -1));
    }

    @Test
    void and_stays_as_it_was() {
      builder.gamma(GAMMA).beta(BETA).epsilon(2).smoothingFactor(0.5);
      builder.runningStatistics(new double[] {1, 2}, new double[] {3, 4}, 5);
      BatchNormState before = builder.build().state();
      values_that_are_not_finite(Double.NaN);
      arrays_that_are_null();
      arrays_of_another_length_than_D();
      averages_that_no_batches_have();
      an_epsilon_that_is_no_normal_number_or_overflows_a_variance(-1);
      a_smoothing_factor_that_is_not_above_0_and_at_most_1(2);
      assertThat(builder.build().state())
          .isEqualTo(before)
          .isEqualTo(
              new BatchNormState(
                  GAMMA, BETA, new double[] {1, 2}, new double[] {3, 4}, 5, 2, 0.5, false, false));
    }
  }

  @Nested
  class Takes {

    @Test
    void one_feature() {
      assertThat(new BatchNormLayer(1).features()).isOne();
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.MIN_NORMAL, 1e-12, 1, 1e290})
    void any_epsilon_between_the_smallest_normal_number_and_1e290(double epsilon) {
      assertThat(builder.epsilon(epsilon).build().epsilon()).isEqualTo(epsilon);
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.MIN_VALUE, 0.5, 1})
    void any_smoothing_factor_above_0_and_at_most_1(double a) {
      BatchNormLayer layer = builder.smoothingFactor(a).build();
      // the mean of both columns is 1, so the running mean is (1 - a) * 0 + a * 1
      layer.forward(new double[][] {{0, 2}, {2, 0}});
      assertThat(layer.runningMean()).containsExactly(a, a);
    }
  }
}
