package io.github.batchnorm;

import static io.github.batchnorm.TestData.combine;
import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestLayers.map;
import static io.github.batchnorm.TestLayers.product;
import static io.github.batchnorm.TestLayers.transposed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.batchnorm.GradientReport.Entry;
import io.github.batchnorm.TestLayers.Function;
import java.util.List;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The checker where the slope of f jumps: at the point, and nearer than its first step. */
@DisplayName("GradientCheck at kinks (seeds 0 to 19)")
class GradientCheckKinksTest {
  private static final double[] DISTANCES = {
    0, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4
  };

  /** A function, its kink, and a point beside it. */
  static Stream<Arguments> points() {
    return Stream.of(Function.RELU, Function.LEAKY, Function.ABS)
        .flatMap(function -> Stream.of(0.0, 3.0, -100.0).map(kink -> Arguments.of(function, kink)));
  }

  /** Σ of the function and a sine, which bends it. */
  private static GradientReport check(Function function, double kink, double x, double analytic) {
    return new GradientCheck()
        .check(
            p -> function.value.applyAsDouble(p[0] - kink) + Math.sin(p[0]) / 4,
            new double[] {x},
            new double[] {analytic + Math.cos(x) / 4});
  }

  @ParameterizedTest
  @MethodSource("points")
  void the_slope_at_x_agrees_at_every_distance(Function function, double kink) {
    for (double distance : DISTANCES) {
      for (double x : new double[] {kink + distance, kink - distance}) {
        double slope = function.slope.applyAsDouble(x - kink);
        GradientReport report = check(function, kink, x, slope);
        assertThat(report.agrees()).as("at %s: %s", x, report).isTrue();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("points")
  void two_and_a_half_times_the_slope_does_not(Function function, double kink) {
    for (double distance : DISTANCES) {
      double x = kink + distance;
      GradientReport report = check(function, kink, x, 2.5);
      assertThat(report.agrees()).as("at %s: %s", x, report).isFalse();
      assertThat(check(function, kink, x, 1 + 1e-4).agrees()).as("at %s", x).isFalse();
      assertThat(check(function, kink, kink - distance, -2.5).agrees()).as("at %s", x).isFalse();
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {1e-13, 1e-11, 1e-9, 1e-7, 1e-5})
  void the_slope_beyond_the_kink_does_not_agree_if_steps_are_short_enough(double distance) {
    // around 0 even the shortest steps leave digits
    GradientReport report =
        new GradientCheck()
            .check(p -> Math.max(p[0], p[0] / 100), new double[] {-distance}, new double[] {1});
    assertThat(report.agrees()).as("%s", report).isFalse();
    assertThat(report.entries().get(0).isKink()).isFalse();
    assertThat(report.entries().get(0).low()).isCloseTo(0.01, within(1e-15));
  }

  @ParameterizedTest
  @ValueSource(doubles = {1e-10, 1e-9, 1e-7, 1e-5})
  void the_slope_beyond_the_kink_does_not_agree_beside_a_loss(double distance) {
    for (double offset : new double[] {1, 100}) {
      for (double x : new double[] {distance, -distance}) {
        double[] slope = {x > 0 ? 1 : 0.01};
        double[] beyond = {x > 0 ? 0.01 : 1};
        ToDoubleFunction<double[]> f = p -> offset + Math.max(p[0], p[0] / 100);
        GradientReport right = new GradientCheck().check(f, new double[] {x}, slope);
        right.assertPassed();
        GradientReport wrong = new GradientCheck().check(f, new double[] {x}, beyond);
        assertThat(wrong.agrees()).as("%s at %s: %s", offset, x, wrong).isFalse();
        double[] near = {1.1 * slope[0]};
        assertThat(new GradientCheck().check(f, new double[] {x}, near).agrees()).isFalse();
      }
    }
  }

  /** The first step sees the steep side, which does not make 0.01 flat. */
  @ParameterizedTest
  @ValueSource(doubles = {1e-6, 1e-7, 3e-8})
  void a_slope_beside_one_that_is_100_000_times_as_steep_is_no_zero(double distance) {
    ToDoubleFunction<double[]> kink =
        p -> 100 + p[0] / 100 + 1e3 * Math.max(0, p[0] - distance) + p[1];
    ToDoubleFunction<double[]> jump = p -> 100 + p[0] / 100 + (p[0] > -distance ? 1 : 0) + p[1];
    for (ToDoubleFunction<double[]> f : List.of(kink, jump)) {
      double[] at = {0, 1};
      new GradientCheck().check(f, at, new double[] {0.01, 1}).assertPassed();
      for (double wrong : new double[] {-0.01, 0, 0.02}) {
        GradientReport report = new GradientCheck().check(f, at, new double[] {wrong, 1});
        assertThat(report.failures()).as("%s", report).hasSize(1);
      }
    }
  }

  /** Far smaller than the slopes around, but the loss is so small too that no digit is lost. */
  @Test
  void a_slope_next_to_an_optimum_that_has_its_digits_is_no_zero() {
    double[] at = {1e-12};
    new GradientCheck().check(p -> p[0] * p[0], at, new double[] {2e-12}).assertPassed();
    GradientReport report = new GradientCheck().check(p -> p[0] * p[0], at, new double[] {1e-11});
    assertThat(report.failures()).hasSize(1);
  }

  @Test
  void what_looks_like_a_kink_takes_no_more_than_60_calls_and_has_a_slope() {
    // one output, so 1 call at the start and 2 at the end, one of them to tell a float
    for (double x : new double[] {9.110742125136232E-6, 9.11e-6, 1e-5}) {
      int[] calls = {0};
      ToDoubleFunction<double[]> inFloat =
          p -> {
            calls[0]++;
            return (float) (-354.08010454830554 * p[0]);
          };
      GradientReport report =
          new GradientCheck().check(inFloat, new double[] {x}, new double[] {-1});
      assertThat(calls[0]).isLessThanOrEqualTo(1 + 60 + 2);
      assertThat(report.failures()).hasSize(1);
      assertThat(report.entries().get(0).low()).as("%s", report).isFinite();
    }
  }

  @Test
  void between_kinks_of_two_outputs_the_slope_is_that_of_neither_end() {
    // relu(1e-10 + p) and relu(p - 1e-10) at 0: the slopes are 1 and 0, those of long steps 0 to 2
    java.util.function.Function<double[], double[]> f =
        p -> new double[] {100 + Math.max(1e-10 + p[0], 0), 100 + Math.max(p[0] - 1e-10, 0)};
    double[] dout = {1, 1};
    assertThat(new GradientCheck().check(f, new double[1], dout, new double[] {1}).agrees())
        .isTrue();
    assertThat(new GradientCheck().check(f, new double[1], dout, new double[] {0}).agrees())
        .isFalse();
    assertThat(new GradientCheck().check(f, new double[1], dout, new double[] {2}).agrees())
        .isFalse();
  }

  @Test
  void the_square_of_a_relu_has_none() {
    ToDoubleFunction<double[]> f = p -> 4.7 + Math.pow(Math.max(p[0], 0), 2);
    double[] x = {1e-5};
    GradientReport report = new GradientCheck().check(f, x, new double[] {2e-5});
    report.assertPassed();
    assertThat(report.kinks()).isEmpty();
    assertThat(new GradientCheck().check(f, x, new double[] {1e-5}).agrees()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 1e-12, 1e-9, 1e-7, 1e-5})
  void a_max_pool_at_and_near_a_tie_agrees_with_the_larger_only(double distance) {
    double[][] x = {{0.5 + distance, 0.5, -3, 0.25}, {0.1, 0.7, 1, 1 + distance}};
    double[][] dout = {{1, -2}, {3, 4}};
    TestLayers.MaxPool pool = new TestLayers.MaxPool();
    pool.forward(x);
    double[][] dx = pool.backward(dout);
    GradientReport report = new GradientCheck().check(pool::forward, x, dout, dx);
    report.assertPassed();
    assertThat(report.kinks()).hasSize(distance == 0 ? 4 : 0);
    GradientReport wrong = new GradientCheck().check(pool::forward, x, dout, map(dx, d -> 2.5 * d));
    assertThat(wrong.failures()).hasSize(distance == 0 ? 2 : 4);
    pool.make("to the smaller");
    assertThat(new GradientCheck().check(pool::forward, x, dout, pool.backward(dout)).agrees())
        .isFalse();
  }

  @Test
  void zero_at_the_tip_of_abs_is_reported_as_a_kink_and_shows_nothing() {
    GradientReport report =
        new GradientCheck().check(p -> Math.abs(p[0]), new double[1], new double[1]);
    assertThat(report.agrees()).isTrue();
    assertThat(report.isVacuous()).isTrue();
    assertThat(report.passed()).isFalse();
    assertThat(report.kinks()).hasSize(1);
    assertThat(report.entries().get(0).low()).isEqualTo(-1);
    assertThat(report.entries().get(0).high()).isEqualTo(1);
  }

  @Test
  void a_kink_is_reported_with_both_slopes() {
    GradientReport report =
        new GradientCheck()
            .check(
                p -> Math.max(p[0], 0) + p[1] + Math.abs(p[2]),
                new double[3],
                new double[] {0.25, 1, 0.5});
    report.assertPassed();
    assertThat(report.kinks()).hasSize(2);
    Entry entry = report.kinks().get(0);
    assertThat(entry.isKink()).isTrue();
    assertThat(entry.low()).isZero();
    assertThat(entry.high()).isEqualTo(1);
    assertThat(entry.difference()).isZero();
    assertThat(report)
        .hasToString(
            "passed: 0 of 3 entries fail at tolerance 1.0e-06; 0 zero, 2 at a kink, 0 rough\n"
                + "  worst: analytic[0] is 0.25, at a kink, slopes 0.0 to 1.0: difference 0.0e+00,"
                + " allowed 1.0e-06\n"
                + "  analytic[2] is 0.5, at a kink, slopes -1.0 to 1.0: difference 0.0e+00,"
                + " allowed 1.0e-06");
  }

  @Test
  void a_slope_outside_of_both_is_wrong_and_no_kink_is_counted() {
    GradientReport report =
        new GradientCheck().check(p -> Math.max(p[0], 0), new double[1], new double[] {-0.25});
    assertThat(report.failures()).hasSize(1);
    assertThat(report.kinks()).isEmpty();
    assertThat(report.entries().get(0).difference()).isEqualTo(0.25);
    assertThat(report.toString()).contains("at a kink, slopes 0.0 to 1.0");
  }

  @Test
  void kinks_of_several_outputs_do_not_mix() {
    // relu(p) - relu(-p) = p has no kink, but each output has one: with relu'(0) = 0, dp = 0
    java.util.function.Function<double[], double[]> f =
        p -> new double[] {Math.max(p[0], 0), Math.max(-p[0], 0)};
    double[] dout = {1, -1};
    GradientReport report = new GradientCheck().check(f, new double[1], dout, new double[1]);
    assertThat(report.agrees()).as("%s", report).isTrue();
    assertThat(report.entries().get(0).low()).isZero();
    assertThat(report.entries().get(0).high()).isEqualTo(2);
    assertThat(new GradientCheck().check(f, new double[1], dout, new double[] {2.1}).failures())
        .hasSize(1);
    // as a loss it is the straight line p
    assertThat(
            new GradientCheck()
                .check(p -> Math.max(p[0], 0) - Math.max(-p[0], 0), new double[1], new double[1])
                .failures())
        .hasSize(1);
  }

  @Test
  void many_kinks_at_once_agree() {
    // whole numbers and zero biases: about a fifth of the products is exactly 0
    for (int seed = 0; seed < 20; seed++) {
      Random random = new Random(seed);
      double[][] x = map(gaussian(random, 6, 4), Math::rint);
      double[][] w = map(gaussian(random, 4, 5), Math::rint);
      double[][] dout = gaussian(random, 6, 5);
      for (Function function : List.of(Function.RELU, Function.LEAKY, Function.ABS)) {
        double[][] dz = combine(dout, product(x, w), (d, z) -> d * function.slope.applyAsDouble(z));
        GradientReport byX =
            new GradientCheck()
                .check(
                    at -> map(product(at, w), function.value), x, dout, product(dz, transposed(w)));
        GradientReport byW =
            new GradientCheck()
                .check(
                    at -> map(product(x, at), function.value), w, dout, product(transposed(x), dz));
        assertThat(byX.agrees()).as("seed %s: %s", seed, byX).isTrue();
        assertThat(byW.agrees()).as("seed %s: %s", seed, byW).isTrue();
      }
    }
  }

  @Test
  void a_bend_is_no_kink() {
    // softplus bends within 1 / 1e7 of 0, far less than the first step
    double sharp = 1e7;
    GradientReport report =
        new GradientCheck()
            .check(
                p -> Function.SOFTPLUS.value.applyAsDouble(sharp * p[0]) / sharp,
                new double[1],
                new double[] {0.5});
    report.assertPassed();
    assertThat(report.kinks()).isEmpty();
    assertThat(
            new GradientCheck()
                .check(
                    p -> Function.SOFTPLUS.value.applyAsDouble(sharp * p[0]) / sharp,
                    new double[1],
                    new double[] {0.501})
                .agrees())
        .isFalse();
  }
}
