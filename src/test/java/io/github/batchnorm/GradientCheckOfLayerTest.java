package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.bits;
import static io.github.batchnorm.TestData.copy;
import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestData.input;
import static io.github.batchnorm.TestLayers.map;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** checkLayer: a layer of this library in one line. */
@DisplayName("GradientCheck of a layer (seed 43)")
class GradientCheckOfLayerTest {
  private final Random random = new Random(43);

  private BatchNormLayer layer(int d, double eps) {
    return BatchNormLayer.builder(d)
        .gamma(gaussian(random, d))
        .beta(gaussian(random, d))
        .epsilon(eps)
        .build();
  }

  private double[][] features(int n, double mean, double spread) {
    return map(gaussian(random, n, 3), z -> mean + spread * z);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1e-5, 1e-5",
    "0, 1e-5, 1e-12",
    "0, 1e-3, 1e-5",
    "12, 5, 1e-5",
    "0, 1e6, 1e-5",
    "1e6, 1e6, 1e-5",
    "1e6, 1, 1e-5",
    "-1e6, 1e-3, 1e-10",
    "1e6, 1e-5, 1e-12",
    "1e8, 1, 1e-5",
  })
  void passes_fresh_and_trained(double mean, double spread, double eps) {
    for (int n : new int[] {3, 4, 31}) {
      BatchNormLayer fresh = layer(3, eps);
      new GradientCheck().checkLayer(fresh, features(n, mean, spread), 7).assertPassed();
      for (int batch = 0; batch < 50; batch++) { // until the running averages are of that kind
        fresh.forward(features(n, mean, spread));
      }
      GradientReport report = new GradientCheck().checkLayer(fresh, features(n, mean, spread), 7);
      report.assertPassed();
      assertThat(report.entries()).hasSize(2 * (3 * n + 3 + 3));
    }
  }

  /** The same check with a gradient that is off by 3e-7. */
  @ParameterizedTest
  @CsvSource({
    "0, 1e-5, 1e-5",
    "0, 1e-5, 1e-12",
    "12, 5, 1e-5",
    "1e6, 1e6, 1e-5",
    "1e6, 1, 1e-5",
    "1e8, 1, 1e-5",
  })
  void is_sharp_to_1e_minus_7_in_training(double mean, double spread, double eps) {
    BatchNormLayer layer = layer(3, eps);
    double[][] x = features(5, mean, spread);
    double[][] dout = gaussian(random, 5, 3);
    layer.forward(x);
    double[][] dx = layer.backward(dout).dx();
    GradientCheck sharp = new GradientCheck().tolerance(1e-7);
    sharp.check(layer::forward, x, dout, dx).assertPassed();
    GradientReport wrong = sharp.check(layer::forward, x, dout, map(dx, d -> (1 + 3e-7) * d));
    assertThat(wrong.agrees()).as("%s", wrong).isFalse();
  }

  /** A fresh layer: the outputs are as large as x, and lose as many digits. */
  @ParameterizedTest
  @CsvSource({"0, 3e-7", "1e4, 1e-5", "1e6, 1e-5", "-1e8, 1e-5"})
  void is_sharp_to_1e_minus_5_in_inference(double mean, double mistake) {
    BatchNormLayer layer = layer(3, 1e-5);
    double[][] x = features(5, mean, 1);
    double[][] dout = gaussian(random, 5, 3);
    double[][] dx = layer.inferBackward(x, dout).dx();
    GradientCheck sharp = new GradientCheck().tolerance(1e-7);
    sharp.check(layer::infer, x, dout, dx).assertPassed();
    GradientReport wrong = sharp.check(layer::infer, x, dout, map(dx, d -> (1 + mistake) * d));
    assertThat(wrong.failures()).as("%s", wrong).hasSize(15);
  }

  @Test
  void changes_neither_its_state_nor_its_graph_nor_x() {
    BatchNormLayer layer = layer(3, 1e-5);
    double[][] dout = gaussian(random, 4, 3);
    layer.forward(features(4, 1, 2));
    Snapshot before = Snapshot.of(layer);
    List<Object> graph = bits(layer.graph());
    List<Object> gradients = bits(layer.backward(dout));
    double[][] x = features(5, 3, 1);
    double[][] copy = copy(x);
    new GradientCheck().checkLayer(layer, x, 1).assertPassed();
    assertThat(Snapshot.of(layer)).isEqualTo(before);
    assertThat(bits(layer.graph())).isEqualTo(graph);
    assertThat(bits(layer.backward(dout))).isEqualTo(gradients);
    assertThat(bits(x)).isEqualTo(bits(copy));
  }

  @Test
  void uses_the_running_averages_of_the_layer_for_inference() {
    BatchNormLayer layer = layer(3, 1e-5);
    layer.forward(features(9, 5, 3));
    BatchNormState before = layer.state();
    // a fresh layer would not agree with inferBackward of this one
    new GradientCheck().checkLayer(layer, features(4, 0, 1), 1).assertPassed();
    assertThat(layer.state()).isEqualTo(before);
  }

  @Test
  void has_a_tolerance_of_1e_minus_7_unless_one_is_set() {
    BatchNormLayer layer = layer(3, 1e-5);
    double[][] x = features(5, 0, 1);
    assertThat(new GradientCheck().checkLayer(layer, x, 1).toString())
        .contains("tolerance 1.0e-07");
    assertThat(new GradientCheck().tolerance(1e-5).checkLayer(layer, x, 1).toString())
        .contains("tolerance 1.0e-05");
  }

  /** A dout that is x would make dx 0, but for epsilon. */
  @Test
  void draws_another_dout_than_the_caller_draws_x_from_the_same_seed() {
    BatchNormLayer layer = BatchNormLayer.builder(1).epsilon(1e-14).build();
    for (int seed = 0; seed < 5; seed++) {
      double[][] x = gaussian(new Random(seed), 256, 1);
      new GradientCheck().checkLayer(layer, x, seed).assertPassed();
      SplittableRandom splittable = new SplittableRandom(seed);
      double[][] y = map(x, value -> splittable.nextDouble(-1, 1));
      new GradientCheck().checkLayer(layer, y, seed).assertPassed();
    }
  }

  @Test
  void holds_for_large_gamma_and_beta() {
    BatchNormLayer layer =
        BatchNormLayer.builder(2).gamma(new double[] {1e6, 3}).beta(new double[] {5, -1e4}).build();
    new GradientCheck().checkLayer(layer, input(random, 6, 2), 3).assertPassed();
  }

  @Test
  void is_vacuous_if_gamma_is_zero() {
    BatchNormLayer layer = BatchNormLayer.builder(2).gamma(new double[2]).build();
    GradientReport report = new GradientCheck().checkLayer(layer, input(random, 6, 2), 3);
    assertThat(report.agrees()).as("%s", report).isTrue();
    assertThat(report.reasons())
        .contains("training dx: vacuous, a gradient of zeros would agree too")
        .contains("inference dx: vacuous, a gradient of zeros would agree too");
  }

  @Test
  void with_two_rows_is_vacuous_in_training_only() {
    BatchNormLayer layer = BatchNormLayer.builder(1).epsilon(1e-14).build();
    GradientReport report = new GradientCheck().checkLayer(layer, new double[][] {{1}, {3}}, 3);
    assertThat(report.agrees()).as("%s", report).isTrue();
    assertThat(report.reasons())
        .contains("training dx: vacuous, a gradient of zeros would agree too")
        .noneMatch(reason -> reason.startsWith("inference"));
  }

  @Test
  void refuses_parameters_that_steps_would_make_overflow() {
    BatchNormLayer layer = BatchNormLayer.builder(1).gamma(new double[] {1.2e307}).build();
    double[][] x = {{1}, {2}, {4}};
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new GradientCheck().checkLayer(layer, x, 1))
        .withMessage(
            "gamma[0] (1.2E307) must be in [-2^1020, 2^1020]: steps from it would overflow");
    layer.gamma()[0] = 1;
    layer.beta()[0] = -1.2e307;
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new GradientCheck().checkLayer(layer, x, 1))
        .withMessage(
            "beta[0] (-1.2E307) must be in [-2^1020, 2^1020]: steps from it would overflow");
  }

  @Test
  void refuses_what_forward_refuses() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> new GradientCheck().checkLayer(new BatchNormLayer(1), new double[1][1], 1))
        .withMessageStartingWith("x has 1 row, expected at least 2");
    assertThatNullPointerException()
        .isThrownBy(() -> new GradientCheck().checkLayer(null, new double[2][1], 1))
        .withMessage("layer is null");
  }
}
