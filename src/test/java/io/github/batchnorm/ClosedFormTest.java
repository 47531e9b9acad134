package io.github.batchnorm;

import static io.github.batchnorm.TestData.assertClose;
import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestData.input;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The walk through the graph against the gradient solved on paper (Ioffe & Szegedy 2015, section 3,
 * simplified): {@code dx = ivar * (dxhat - mean(dxhat) - xhat * mean(dxhat * xhat))}.
 */
class ClosedFormTest {

  @ParameterizedTest(name = "{0} x {1}, eps {2}, seed {3}")
  @CsvSource({
    "3, 1, 1e-5, 1",
    "5, 4, 1e-3, 2",
    "32, 10, 1e-5, 3",
    "60, 100, 1e-5, 4",
    "257, 3, 1e-10, 5",
    "1000, 17, 1e-5, 6",
  })
  void the_two_agree(int n, int d, double eps, long seed) {
    Random random = new Random(seed);
    double[][] x = input(random, n, d);
    double[][] dout = gaussian(random, n, d);
    double[] gamma = gaussian(random, d);
    BatchNormLayer layer = BatchNormLayer.builder(d).gamma(gamma).epsilon(eps).build();
    layer.forward(x);
    double[][] expected = new double[n][d];
    for (int j = 0; j < d; j++) {
      column(x, dout, gamma[j], eps, j, expected);
    }
    assertClose(layer.backward(dout).dx(), expected, 1e-13);
  }

  private static void column(
      double[][] x, double[][] dout, double gamma, double eps, int j, double[][] dx) {
    int n = x.length;
    double mean = 0;
    for (double[] row : x) {
      mean += row[j] / n;
    }
    double var = 0;
    for (double[] row : x) {
      var += (row[j] - mean) * (row[j] - mean) / n;
    }
    double ivar = 1 / Math.sqrt(var + eps);
    double meanDxhat = 0;
    double meanDxhatXhat = 0;
    for (int i = 0; i < n; i++) {
      double dxhat = dout[i][j] * gamma;
      meanDxhat += dxhat / n;
      meanDxhatXhat += dxhat * (x[i][j] - mean) * ivar / n;
    }
    for (int i = 0; i < n; i++) {
      double xhat = (x[i][j] - mean) * ivar;
      dx[i][j] = ivar * (dout[i][j] * gamma - meanDxhat - xhat * meanDxhatXhat);
    }
  }
}
