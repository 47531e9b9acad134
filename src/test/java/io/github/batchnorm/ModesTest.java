package io.github.batchnorm;

import static io.github.batchnorm.TestData.assertClose;
import static io.github.batchnorm.TestData.combine;
import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestData.input;
import static io.github.batchnorm.TestData.largest;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.ForkJoinPool;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * With the cache or without, on one thread or many: the same bits, and the right ones. The shapes
 * take in every cut of the grid: one tile, several strips, several tiles, both, and odd remainders.
 */
class ModesTest {
  /** Everything that a forward and a backward hand out. */
  record Results(
      double[][] out,
      BatchNormGraph graph,
      BatchNormGradients gradients,
      double[][] inferred,
      BatchNormLayer layer) {
    static Results of(
        double[][] x, double[][] dout, double[] gamma, double[] beta, boolean cache, boolean par) {
      BatchNormLayer layer =
          BatchNormLayer.builder(gamma.length)
              .gamma(gamma)
              .beta(beta)
              .cacheGraph(cache)
              .parallel(par)
              .build();
      double[][] out = layer.forward(x);
      return new Results(out, layer.graph(), layer.backward(dout), layer.infer(x), layer);
    }
  }

  @ParameterizedTest(name = "{0} x {1}, seed {2}")
  @CsvSource({
    "2, 1, 1", // the smallest
    "3, 5, 2", // one tile
    "31, 33, 3", // one tile
    "300, 300, 4", // tiles of 109 rows
    "60, 1500, 5", // strips of 500 columns
    "3001, 40, 6", // tiles of 819 rows
    "1027, 2500, 7", // strips of 1250 columns, tiles of 26 rows
    "5, 7001, 8", // strips of 2048 columns, few rows
    "40000, 3, 9", // tiles, the number of which is bounded
  })
  void all_modes_give_the_same_bits_and_the_right_ones(int n, int d, long seed) {
    Random random = new Random(seed);
    double[][] x = input(random, n, d);
    double[][] dout = gaussian(random, n, d);
    double[] gamma = gaussian(random, d);
    double[] beta = gaussian(random, d);

    Results reference = Results.of(x, dout, gamma, beta, true, false);
    NaiveGraph naive = new NaiveGraph(x, gamma, beta, 1e-5).backward(dout, NaiveGraph.Mutant.NONE);
    assertThat(distance(reference.out(), naive.out)).isLessThan(1e-12);
    assertThat(distance(reference.gradients().dx(), naive.dx)).isLessThan(n == 2 ? 1e-9 : 1e-12);
    assertClose(reference.gradients().dgamma(), naive.dgamma, 1e-12);
    assertClose(reference.gradients().dbeta(), naive.dbeta, 1e-12);

    assertSameBits(Results.of(x, dout, gamma, beta, true, true), reference);
    assertSameBits(Results.of(x, dout, gamma, beta, false, false), reference);
    assertSameBits(Results.of(x, dout, gamma, beta, false, true), reference);
  }

  /** The largest difference over the largest magnitude; quicker than a comparison by AssertJ. */
  private static double distance(double[][] actual, double[][] expected) {
    return largest(combine(actual, expected, (a, b) -> a - b)) / largest(expected);
  }

  private static void assertSameBits(Results actual, Results expected) {
    assertThat(Arrays.deepEquals(actual.out(), expected.out())).isTrue();
    assertThat(actual.graph().mu()).isEqualTo(expected.graph().mu());
    assertThat(Arrays.deepEquals(actual.graph().xmu(), expected.graph().xmu())).isTrue();
    assertThat(Arrays.deepEquals(actual.graph().sq(), expected.graph().sq())).isTrue();
    assertThat(actual.graph().var()).isEqualTo(expected.graph().var());
    assertThat(actual.graph().sqrtvar()).isEqualTo(expected.graph().sqrtvar());
    assertThat(actual.graph().ivar()).isEqualTo(expected.graph().ivar());
    assertThat(Arrays.deepEquals(actual.graph().xhat(), expected.graph().xhat())).isTrue();
    assertThat(Arrays.deepEquals(actual.gradients().dx(), expected.gradients().dx())).isTrue();
    assertThat(actual.gradients().dgamma()).isEqualTo(expected.gradients().dgamma());
    assertThat(actual.gradients().dbeta()).isEqualTo(expected.gradients().dbeta());
    assertThat(Arrays.deepEquals(actual.inferred(), expected.inferred())).isTrue();
    assertThat(actual.layer().runningMean()).isEqualTo(expected.layer().runningMean());
    assertThat(actual.layer().runningVar()).isEqualTo(expected.layer().runningVar());
  }

  @ParameterizedTest(name = "a pool of {0} threads")
  @ValueSource(ints = {1, 2, 3, 8})
  void neither_the_number_of_threads_nor_an_interrupt_changes_a_bit(int threads) {
    Random random = new Random(10);
    double[][] x = input(random, 513, 700);
    double[][] dout = gaussian(random, 513, 700);
    double[] gamma = gaussian(random, 700);
    double[] beta = gaussian(random, 700);
    Results reference = Results.of(x, dout, gamma, beta, false, false);
    ForkJoinPool pool = new ForkJoinPool(threads);
    try {
      Results inPool = pool.submit(() -> Results.of(x, dout, gamma, beta, false, true)).join();
      assertSameBits(inPool, reference);
    } finally {
      pool.shutdown();
    }

    Thread.currentThread().interrupt();
    Results interrupted = Results.of(x, dout, gamma, beta, true, true);
    assertThat(Thread.interrupted()).as("the interrupt is still pending").isTrue();
    assertSameBits(interrupted, reference);
  }
}
