package io.github.batchnorm;

import static java.math.MathContext.DECIMAL128;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.math.BigDecimal;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Means and variances that are put together from several tiles, against exact sums: of 40,000 x 3
 * values there are 4 tiles.
 */
@DisplayName("Moments of several tiles (seed 37)")
class MomentsTest {
  private static final int N = 40_000;

  private static Arguments column(String name, IntToDoubleFunction value) {
    return Arguments.of(name, IntStream.range(0, N).mapToDouble(value).toArray());
  }

  static Arguments[] columns() {
    Random random = new Random(37);
    return new Arguments[] {
      column("gaussian", i -> random.nextGaussian()),
      column("a large mean", i -> 1e9 + random.nextGaussian()),
      column("a mean with a rest", i -> 1e15 + random.nextInt(8)),
      column("ascending, so that the means of the tiles differ", i -> 1e6 + i),
      column("ascending, with a first row far away", i -> i == 0 ? -1e6 : i),
      column(
          "a step, with a first row far away",
          i -> i == 0 ? 200 : (i < N / 2 ? 0 : 1) + 0.3 * random.nextGaussian()),
      column("ascending beside a large mean", i -> 1e12 + 1e-3 * i),
      column("a first row far from all others", i -> i == 0 ? 1e12 : random.nextGaussian()),
      column("a last row far from all others", i -> i == N - 1 ? 1e12 : random.nextGaussian()),
      column("large", i -> 1e150 * random.nextGaussian()),
      column("small", i -> 1e-150 * random.nextGaussian()),
    };
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("columns")
  void are_as_exact_sums_give_them(String name, double[] column) {
    BigDecimal sum = BigDecimal.ZERO;
    BigDecimal squares = BigDecimal.ZERO;
    for (double value : column) {
      sum = sum.add(new BigDecimal(value));
      squares = squares.add(new BigDecimal(value).pow(2));
    }
    BigDecimal n = BigDecimal.valueOf(N);
    // Σ (x - mean)² = Σ x² - (Σ x)² / N; without rounding nothing is lost in that
    double mu = sum.divide(n, DECIMAL128).doubleValue();
    double var =
        squares.multiply(n).subtract(sum.pow(2)).divide(n.pow(2), DECIMAL128).doubleValue();

    BatchNormLayer layer = new BatchNormLayer(3);
    double[][] x = new double[N][];
    for (int i = 0; i < N; i++) {
      x[i] = new double[] {5, column[i], 1e300};
    }
    layer.forward(x);
    BatchNormGraph graph = layer.graph();
    assertThat(graph.mu()[1]).isCloseTo(mu, within(Math.ulp(mu) + 1e-15 * Math.sqrt(var)));
    assertThat(graph.var()[1]).isCloseTo(var, within(4e-15 * var));
    assertThat(graph.mu()).contains(5).contains(1e300);
    assertThat(graph.var()).startsWith(0).endsWith(0);
  }
}
