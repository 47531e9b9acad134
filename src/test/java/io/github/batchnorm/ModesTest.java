package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.assertSameBits;
import static io.github.batchnorm.TestData.assertClose;
import static io.github.batchnorm.TestData.combine;
import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestData.input;
import static io.github.batchnorm.TestData.largest;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * On one thread or many: the same bits, and the correct ones. The shapes take in every cut of the
 * grid. From 65,536 values on a walk has helpers.
 */
@ParameterizedClass(name = "{0} x {1} in {2} strips of {3} tiles, seed {4}")
@CsvSource({
  "2, 1, 1, 1, 1", // the smallest
  "3, 5, 1, 1, 2",
  "64, 512, 1, 1, 3", // the largest tile
  "65, 512, 1, 2, 4", // tiles of 64 rows and 1
  "5, 7001, 7, 1, 5", // strips of 1001 columns and one of 995, on one thread
  "10, 7001, 7, 1, 6", // the same on many
  "60, 1500, 3, 1, 7", // strips of 500 columns
  "64, 1024, 2, 1, 8", // strips of 512 columns, just large enough for many threads
  "65, 1024, 1, 3, 9", // the widest strip; tiles of 32, 32 rows and 1
  "300, 300, 1, 5, 10", // 4 tiles of 64 rows and one of 44
  "130, 1101, 2, 3, 11", // strips of 551 and 550 columns; tiles of 59, 59 and 12 rows
  "257, 2500, 3, 7, 12", // strips of 834, 834 and 832 columns; 6 tiles of 39 rows and one of 23
  "3001, 40, 1, 47, 13", // 46 tiles of 64 rows and one of 57
  "40000, 3, 1, 625, 14", // tiles of 64 rows
})
class ModesTest {
  private static final double EPS = 1e-5;

  @Parameter(0)
  int n;

  @Parameter(1)
  int d;

  @Parameter(2)
  int strips;

  @Parameter(3)
  int tiles;

  @Parameter(4)
  long seed;

  private double[][] x;
  private double[][] dout;
  private double[] gamma;
  private double[] beta;

  @BeforeEach
  void make() {
    Random random = new Random(seed);
    x = input(random, n, d);
    dout = gaussian(random, n, d);
    gamma = gaussian(random, d);
    beta = gaussian(random, d);
  }

  @Test
  void the_grid_is_cut_as_this_class_says() {
    Grid grid = new Grid(n, d);
    assertThat(grid.strips).hasSize(strips);
    assertThat(grid.blocks()).isEqualTo(tiles);
  }

  @Test
  void the_naive_graph_agrees() {
    BatchNormLayer layer = layer(true);
    double[][] out = layer.forward(x);
    BatchNormGradients gradients = layer.backward(dout);
    NaiveGraph naive = new NaiveGraph(x, gamma, beta, EPS).backward(dout, NaiveGraph.Mutant.NONE);
    assertThat(distance(out, naive.out)).isLessThan(1e-12);
    // with 2 rows dx cancels to O(ε)
    assertThat(distance(gradients.dx(), naive.dx)).isLessThan(n == 2 ? 1e-9 : 1e-12);
    assertClose(gradients.dgamma(), naive.dgamma, 1e-12);
    assertClose(gradients.dbeta(), naive.dbeta, 1e-12);
  }

  /** The largest difference over the largest magnitude; quicker than a comparison by AssertJ. */
  private static double distance(double[][] actual, double[][] expected) {
    return largest(combine(actual, expected, (a, b) -> a - b)) / largest(expected);
  }

  @Test
  void parallel_or_not_and_interrupted_or_not_give_the_same_bits() {
    assertAlike(layer(true), layer(false));
    Thread.currentThread().interrupt();
    assertAlike(layer(true), layer(false));
    assertThat(Thread.interrupted()).as("the interrupt is still pending").isTrue();
  }

  private BatchNormLayer layer(boolean parallel) {
    BatchNormLayer.Builder builder = BatchNormLayer.builder(d).gamma(gamma).beta(beta);
    return builder.epsilon(EPS).parallel(parallel).build();
  }

  private void assertAlike(BatchNormLayer actual, BatchNormLayer expected) {
    assertSameBits(actual.forward(x), expected.forward(x));
    assertSameBits(actual.graph(), expected.graph());
    assertSameBits(actual.backward(dout), expected.backward(dout));
    assertSameBits(actual.infer(x), expected.infer(x));
    assertThat(Snapshot.of(actual)).isEqualTo(Snapshot.of(expected));
  }

  @Test
  void plain_calls_give_the_bits_of_calls_with_an_output() {
    BatchNormLayer layer = layer(true);
    assertSameBits(layer.forward(x), layer.forward(x, new double[n][d]));
    assertSameBits(layer.backward(dout), layer.backward(dout, new double[n][d]));
    assertSameBits(layer.infer(x), layer.infer(x, new double[n][d]));
  }

  @ParameterizedTest(name = "{0} threads")
  @ValueSource(ints = {2, 3, 4, 8})
  void the_number_of_threads_changes_no_bit(int threads) {
    Graph alone = new Graph(d, 1);
    double[][] out = forward(alone);
    BatchNormGradients gradients = backward(alone);
    Graph together = new Graph(d, threads);
    for (int run = 0; run < 3; run++) { // each time other threads do other parts
      assertSameBits(forward(together), out);
      assertSameBits(together.snapshot(), alone.snapshot());
      assertSameBits(backward(together), gradients);
    }
  }

  private double[][] forward(Graph graph) {
    double[][] out = new double[n][d];
    assertThat(graph.forward(x, gamma, beta, EPS, out)).isTrue();
    return out;
  }

  private BatchNormGradients backward(Graph graph) {
    BatchNormGradients gradients =
        new BatchNormGradients(new double[n][d], new double[d], new double[d]);
    assertThat(graph.backward(dout, gradients)).isTrue();
    return gradients;
  }
}
