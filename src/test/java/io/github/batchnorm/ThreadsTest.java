package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.assertGoOnAlike;
import static io.github.batchnorm.Snapshot.assertSameBits;
import static io.github.batchnorm.TestData.assertClose;
import static io.github.batchnorm.TestData.combine;
import static io.github.batchnorm.TestData.largest;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * On one thread or many: the same bits, and the correct ones. The shapes take in every cut of the
 * grid ({@link GridTest}). From 65,536 values on a walk has helpers.
 */
@ParameterizedClass(name = "{0} x {1}, seed {2}")
@CsvSource({
  "2, 1, 1", // the smallest
  "3, 5, 2",
  "64, 512, 3", // the largest tile
  "65, 512, 4", // tiles of 64 rows and 1
  "5, 7001, 5", // 7 strips, on one thread
  "10, 7001, 6", // the same on many
  "60, 1500, 7", // 3 strips
  "64, 1024, 8", // 2 strips, just large enough for many threads
  "65, 1024, 9", // the widest strip, in 3 tiles
  "300, 300, 10", // one strip in 5 tiles
  "130, 1101, 11", // 2 strips in 3 tiles each
  "257, 2500, 12", // 3 strips in 7 tiles each
  "3001, 40, 13", // 47 tiles
  "40000, 3, 14", // 625 tiles
})
class ThreadsTest {
  private static final double EPS = 1e-5;

  private final Problem p;

  ThreadsTest(int n, int d, long seed) {
    p = Problem.of(n, d, seed);
  }

  @Test
  void the_naive_graph_agrees() {
    BatchNormLayer layer = p.layer();
    double[][] out = layer.forward(p.x());
    BatchNormGradients gradients = layer.backward(p.dout());
    NaiveGraph naive = new NaiveGraph(p.x(), p.gamma(), p.beta(), EPS);
    naive.backward(p.dout(), NaiveGraph.Mutant.NONE);
    assertThat(distance(out, naive.out)).isLessThan(1e-12);
    // with 2 rows dx cancels to O(ε)
    assertThat(distance(gradients.dx(), naive.dx)).isLessThan(p.n() == 2 ? 1e-9 : 1e-12);
    assertClose(gradients.dgamma(), naive.dgamma, 1e-12);
    assertClose(gradients.dbeta(), naive.dbeta, 1e-12);
  }

  /** The largest difference over the largest magnitude; quicker than a comparison by AssertJ. */
  private static double distance(double[][] actual, double[][] expected) {
    return largest(combine(actual, expected, (a, b) -> a - b)) / largest(expected);
  }

  @Test
  void parallel_or_not_and_interrupted_or_not_give_the_same_bits() {
    assertGoOnAlike(p.layer(), p.builder().parallel(false).build(), p);
    Thread.currentThread().interrupt();
    assertGoOnAlike(p.layer(), p.builder().parallel(false).build(), p);
    assertThat(Thread.interrupted()).as("the interrupt is still pending").isTrue();
  }

  @Test
  void the_backward_graph_has_the_gradients_of_backward_and_the_same_bits_on_one_thread() {
    BatchNormLayer layer = p.trained();
    BatchNormBackwardGraph graph = layer.backwardGraph(p.dout());
    assertSameBits(
        new BatchNormGradients(graph.dx(), graph.dgamma(), graph.dbeta()),
        layer.backward(p.dout()));
    BatchNormLayer alone = p.builder().parallel(false).build();
    alone.forward(p.x());
    assertSameBits(alone.backwardGraph(p.dout()), graph);
  }

  @ParameterizedTest(name = "{0} threads")
  @ValueSource(ints = {2, 3, 4, 8})
  void the_number_of_threads_changes_no_bit(int threads) {
    Graph alone = new Graph(p.d(), 1);
    double[][] out = forward(alone);
    BatchNormGradients gradients = backward(alone);
    Graph together = new Graph(p.d(), threads);
    for (int run = 0; run < 3; run++) { // each time other threads do other parts
      assertSameBits(forward(together), out);
      assertSameBits(together.snapshot(), alone.snapshot());
      assertSameBits(backward(together), gradients);
    }
  }

  private double[][] forward(Graph graph) {
    double[][] out = new double[p.n()][]; // whose rows are made
    assertThat(graph.forward(p.x(), p.gamma(), p.beta(), EPS, out)).isTrue();
    return out;
  }

  private BatchNormGradients backward(Graph graph) {
    BatchNormGradients gradients =
        new BatchNormGradients(new double[p.n()][], new double[p.d()], new double[p.d()]);
    assertThat(graph.backward(p.dout(), gradients)).isTrue();
    return gradients;
  }
}
