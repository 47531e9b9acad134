package io.github.batchnorm;

import static io.github.batchnorm.TestData.combine;
import static io.github.batchnorm.TestData.filled;
import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestData.with;
import static io.github.batchnorm.TestLayers.map;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The checker where rounding hides what f does, and at the ends of the doubles. */
@DisplayName("GradientCheck and noise (seed 11)")
class GradientCheckNoiseTest {
  private final GradientCheck check = new GradientCheck();
  private final Random random = new Random(11);

  @ParameterizedTest
  @ValueSource(doubles = {-1, -7, -29, 0, 1.2})
  void an_entry_that_the_first_step_does_not_move_is_seen_by_a_longer_one(double wrong) {
    ToDoubleFunction<double[]> loss = p -> 1e11 + p[0] + 1e8 * p[1];
    double[] p = {0.5, 0.5};
    check.check(loss, p, new double[] {1, 1e8}).assertPassed();
    assertThat(check.check(loss, p, new double[] {wrong, 1e8}).failures()).hasSize(1);
  }

  @Test
  void a_flipped_sign_is_seen_on_top_of_a_bump_and_beside_a_million() {
    Function<double[][], double[][]> bump = x -> map(x, v -> Math.exp(-v * v / 2));
    ToDoubleFunction<double[][]> relu =
        x -> 1e6 + 1e-6 * Arrays.stream(x).mapToDouble(row -> Math.max(row[0], 0)).sum();
    for (int draw = 0; draw < 100; draw++) {
      double[][] x = map(gaussian(random, 5, 1), v -> 1e-6 * v);
      double[][] right = map(x, v -> -v * Math.exp(-v * v / 2));
      double[][] dout = filled(5, 1, 1);
      assertThat(check.check(bump, x, dout, right).agrees()).isTrue();
      int largest = 0;
      for (int i = 1; i < 5; i++) {
        largest = Math.abs(right[i][0]) > Math.abs(right[largest][0]) ? i : largest;
      }
      double[][] wrong = with(right, largest, 0, -right[largest][0]);
      assertThat(check.check(bump, x, dout, wrong).agrees()).isFalse();
      double[][] at = map(gaussian(random, 5, 1), v -> v + 3 * Math.signum(v));
      double[][] slopes = map(at, v -> v > 0 ? 1e-6 : 0);
      assertThat(check.check(relu, at, slopes).agrees()).isTrue();
      assertThat(check.check(relu, at, map(slopes, v -> -v)).agrees())
          .isEqualTo(Arrays.stream(at).allMatch(row -> row[0] < 0));
    }
  }

  @Test
  void x_that_no_step_may_leave_is_refused_and_the_largest_else_is_checked() {
    double[][] x = {{1.7e308}, {-1.7e308}};
    assertThatIllegalArgumentException()
        .isThrownBy(() -> check.check(at -> at[0][0], x, new double[][] {{1}, {0}}))
        .withMessage(
            "x[0][0] (1.7E308) must be in [-2^1020, 2^1020]: steps from it would overflow");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> check.check(p -> p[1], new double[] {0, -1.2e307}, new double[2]))
        .withMessageStartingWith("p[1] (-1.2E307) must be in");
    double[][] edge = {{0x1p1020}, {-0x1p1020}, {-0x1p1020}};
    ToDoubleFunction<double[][]> loss = at -> at[0][0] / 0x1p1020 + Math.sin(at[1][0] / 0x1p1020);
    double[][] right = {{0x1p-1020}, {0x1p-1020 * Math.cos(1)}, {0}};
    check.check(loss, edge, right).assertPassed();
    assertThat(check.check(loss, edge, map(right, v -> 1.001 * v)).failures()).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(doubles = {1e-300, 1e-100, 1e-30})
  void parameters_of_any_size_are_checked_with_steps_of_that_size(double p) {
    checkAt(p, Math::log, 1 / p);
    checkAt(p, Math::sqrt, 0.5 / Math.sqrt(p));
    checkAt(p, v -> Math.log(v) * v, 1 + Math.log(p));
    if (p > 1e-150) { // 1e-300 has an infinite derivative
      checkAt(p, v -> 1 / v, -1 / p / p);
    }
  }

  @Test
  void a_function_that_is_finite_only_nearby_is_checked_there() {
    checkAt(0, v -> Math.asin(1e7 * v), 1e7);
    checkAt(1, v -> Math.log(v - (1 - 0x1p-24)), 0x1p24);
    ToDoubleFunction<double[]> jump = p -> p[0] > 0.3 ? 1 : 0; // has no slope at 0.3
    assertThat(check.check(jump, new double[] {0.3}, new double[] {-2}).passed()).isFalse();
  }

  private void checkAt(double p, DoubleUnaryOperator f, double slope) {
    ToDoubleFunction<double[]> loss = at -> f.applyAsDouble(at[0]);
    double[] at = {p};
    check.check(loss, at, new double[] {slope}).assertPassed();
    assertThat(check.check(loss, at, new double[] {1.001 * slope}).failures()).hasSize(1);
  }

  @Test
  void zeros_pass_nowhere_not_even_at_kinks() {
    Function<double[][], double[][]> relu = x -> map(x, v -> Math.max(v, 0));
    for (double slope : new double[] {0, 0.5, 1}) {
      GradientReport report =
          check.check(relu, new double[2][3], filled(2, 3, 1), filled(2, 3, slope));
      assertThat(report.kinks()).hasSize(6);
      assertThat(report.agrees()).isTrue();
      assertThat(report.isVacuous()).as("%s", report).isTrue();
    }
    ToDoubleFunction<double[]> maximum = p -> Arrays.stream(p).max().orElseThrow();
    assertThat(check.check(maximum, new double[] {2, 2, 2}, new double[3]).isVacuous()).isTrue();
    // one entry that is no zero shows something
    check
        .check(relu, new double[][] {{0, 3}}, filled(1, 2, 1), new double[][] {{0, 1}})
        .assertPassed();
  }

  @Test
  void digits_that_are_lost_to_noise_are_counted_and_a_mistake_beyond_is_refused() {
    ToDoubleFunction<double[]> loss = p -> (float) Math.exp(p[0]) + p[1];
    double[] p = {0.3, 0.2};
    GradientCheck sharp = check.tolerance(1e-9);
    GradientReport report = sharp.check(loss, p, new double[] {Math.exp(0.3), 1});
    report.assertPassed();
    assertThat(report.toString())
        .startsWith(
            "passed: 0 of 2 entries fail at tolerance 1.0e-09; 0 zero, 0 at a kink, 1 rough")
        .contains("analytic[0] is 1.349", ", rough: noise hides its further digits");
    assertThat(sharp.check(loss, p, new double[] {1.001 * Math.exp(0.3), 1}).failures()).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(doubles = {1e-12, 1e-6, 1e3})
  void noise_is_measured_whatever_the_function_is(double level) {
    for (DoubleUnaryOperator f : List.<DoubleUnaryOperator>of(v -> 0, v -> 7 * v, Math::exp)) {
      double[] values = new double[7];
      for (int draw = 0; draw < 50; draw++) {
        Arrays.setAll(
            values, k -> f.applyAsDouble(1e-9 * level * k) + level * random.nextGaussian());
        // seven values tell it to a factor of ten
        assertThat(Math.log10(Differences.noise(values) / level)).isCloseTo(0, within(1.0));
      }
    }
  }

  @Test
  void no_noise_is_found_in_a_smooth_function_and_equal_values_tell_nothing() {
    double[] values = new double[7];
    Arrays.setAll(values, k -> Math.exp(1 + 1e-2 * k));
    assertThat(Differences.noise(values)).isLessThan(1e-8);
    assertThat(Differences.noise(new double[] {0, 0, 0, 0, 1, 1, 1})).isNegative();
    assertThat(Differences.noise(new double[] {0, 1, 2, Double.NaN, 4, 5, 6})).isZero();
  }

  /** Stable, and the loss is about 1: its rounding is that of the logits, of mean 1e6 and more. */
  @ParameterizedTest
  @CsvSource({"1e6, 1", "1e7, 1", "1e8, 5"}) // at 1e8 a slope of 1/8 is in step with the doubles
  void softmax_cross_entropy_of_large_logits_agrees(double mean, int ofAHundred) {
    int contradicted = 0;
    for (int draw = 0; draw < 100; draw++) {
      double[][] z = map(gaussian(random, 4, 3), v -> mean + v);
      double[][] right = map(TestLayers.softmax(z), v -> v / 4);
      for (int i = 0; i < 4; i++) {
        right[i][i % 3] -= 0.25;
      }
      contradicted += check.check(GradientCheckNoiseTest::crossEntropy, z, right).agrees() ? 0 : 1;
      double[][] wrong = combine(right, right, (v, same) -> 1.001 * v);
      assertThat(check.check(GradientCheckNoiseTest::crossEntropy, z, wrong).agrees()).isFalse();
    }
    assertThat(contradicted).isLessThanOrEqualTo(ofAHundred);
  }

  private static double crossEntropy(double[][] z) {
    double loss = 0;
    for (int i = 0; i < z.length; i++) {
      double most = Arrays.stream(z[i]).max().orElseThrow();
      loss += Math.log(Arrays.stream(z[i]).map(v -> Math.exp(v - most)).sum()) + most;
      loss -= z[i][i % 3];
    }
    return loss / z.length;
  }
}
