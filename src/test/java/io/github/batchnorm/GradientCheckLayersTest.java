package io.github.batchnorm;

import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestData.with;
import static io.github.batchnorm.TestLayers.map;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the Javadoc of checkLayer says of 260 layers. */
@DisplayName("checkLayer on layers of many kinds (seed 59)")
class GradientCheckLayersTest {
  private static final int LAYERS = 130; // fresh, and as many trained
  private static final double[] EPSILONS = {1e-12, 1e-5, 1e-3};

  private final Random random = new Random(59);

  @ParameterizedTest(name = "after {0} batches")
  @CsvSource({"0, 1e-5", "50, 1e-6"})
  void contradicts_no_correct_gradient_and_finds_a_mistake_in_one_entry(
      int batches, double mistakeInInference) {
    for (int trial = 0; trial < LAYERS; trial++) {
      int n = 3 + random.nextInt(38);
      int d = 1 + random.nextInt(3);
      double spread = Math.pow(10, 11 * random.nextDouble() - 5);
      double mean = spread * Math.pow(10, 6 * random.nextDouble() - 1);
      BatchNormLayer layer =
          BatchNormLayer.builder(d)
              .gamma(gaussian(random, d))
              .beta(gaussian(random, d))
              .epsilon(EPSILONS[trial % EPSILONS.length])
              .build();
      for (int batch = 0; batch < batches; batch++) {
        layer.forward(rows(n, d, mean, spread));
      }
      double[][] x = rows(n, d, mean, spread);
      new GradientCheck().checkLayer(layer, x, trial).assertPassed();

      double[][] dout = gaussian(random, n, d);
      Arrays.fill(layer.beta(), 0); // as checkLayer does
      double[][] inferDx = layer.inferBackward(x, dout).dx();
      assertFinds(mistakeInInference, layer::infer, x, dout, inferDx);
      layer.forward(x);
      assertFinds(1e-6, at -> layer.copy().forward(at), x, dout, layer.backward(dout).dx());
    }
  }

  private double[][] rows(int n, int d, double mean, double spread) {
    return map(gaussian(random, n, d), z -> mean + spread * z);
  }

  private void assertFinds(
      double mistake, UnaryOperator<double[][]> f, double[][] x, double[][] dout, double[][] dx) {
    int i = random.nextInt(x.length);
    int j = random.nextInt(x[i].length);
    double[][] wrong = with(dx, i, j, dx[i][j] * (1 + mistake));
    Gradient gradient = new Gradient("dx", false, f, x, dout, wrong);
    GradientReport.Entry entry = new Differences(gradient, 1e-7).compare(i, j);
    assertThat(entry.agrees()).as("%s", entry).isFalse();
  }
}
