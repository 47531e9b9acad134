package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.assertSameBits;
import static io.github.batchnorm.Snapshot.bits;
import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestData.input;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Many threads infer on one layer at once, each on data of its own, so that values kept in the
 * layer on the way would end up in the result of another thread.
 */
@DisplayName("Concurrency (8 threads, 64 x 48, seed 29)")
@Timeout(30)
class ConcurrencyTest {
  private static final int THREADS = 8;
  private static final int CALLS = 200;
  private static final int N = 64;
  private static final int D = 48;

  private final Random random = new Random(29);
  private final BatchNormLayer layer =
      BatchNormLayer.builder(D).gamma(gaussian(random, D)).beta(gaussian(random, D)).build();
  private final List<double[][]> xs = matrices();
  private final List<double[][]> douts = matrices();
  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

  private List<double[][]> matrices() {
    List<double[][]> matrices = new ArrayList<>();
    for (int t = 0; t < THREADS; t++) {
      matrices.add(input(random, N, D));
    }
    return matrices;
  }

  @AfterEach
  void stopThreads() {
    threads.shutdownNow();
  }

  /** Runs the task of every thread, all from the same moment on; rethrows what one threw. */
  private <T> List<T> atOnce(List<Callable<T>> tasks) throws Exception {
    CountDownLatch ready = new CountDownLatch(tasks.size());
    List<Future<T>> futures = new ArrayList<>();
    for (Callable<T> task : tasks) {
      futures.add(
          threads.submit(
              () -> {
                ready.countDown();
                ready.await();
                return task.call();
              }));
    }
    List<T> results = new ArrayList<>();
    for (Future<T> future : futures) {
      results.add(future.get(20, TimeUnit.SECONDS));
    }
    return results;
  }

  @Test
  void infer_and_inferBackward_give_each_thread_the_bits_it_gets_alone() throws Exception {
    for (double[][] x : xs) {
      layer.forward(x);
    }
    List<double[][]> outs = xs.stream().map(layer::infer).toList();
    List<BatchNormGradients> gradients = new ArrayList<>();
    for (int t = 0; t < THREADS; t++) {
      gradients.add(layer.inferBackward(xs.get(t), douts.get(t)));
    }
    Snapshot before = Snapshot.of(layer);

    List<Callable<Void>> tasks = new ArrayList<>();
    for (int t = 0; t < THREADS; t++) {
      int own = t;
      tasks.add(
          () -> {
            double[][] x = xs.get(own);
            double[][] into = new double[N][D];
            for (int call = 0; call < CALLS; call++) {
              assertSameBits(layer.infer(x), outs.get(own));
              assertSameBits(layer.infer(x, into), outs.get(own));
              assertSameBits(layer.inferBackward(x, douts.get(own)), gradients.get(own));
            }
            return null;
          });
    }
    atOnce(tasks);
    assertThat(Snapshot.of(layer)).isEqualTo(before);
  }

  @Test
  void infer_leaves_the_graph_of_the_last_forward_to_backward() throws Exception {
    double[][] x = xs.get(0);
    double[][] dout = douts.get(0);
    layer.forward(x);
    BatchNormGradients expected = layer.backward(dout);
    List<Callable<double[][]>> tasks = new ArrayList<>();
    for (double[][] own : xs) {
      tasks.add(() -> layer.infer(own));
    }
    atOnce(tasks);
    assertSameBits(layer.backward(dout), expected);
  }

  /** Layers share nothing, though large batches may share the threads that work on them. */
  @Test
  void layers_train_at_once_and_each_gets_the_bits_it_gets_alone() throws Exception {
    int n = 400; // with 100 columns above the size that is shared out to threads
    int d = 100;
    List<Callable<List<Object>>> tasks = new ArrayList<>();
    for (int t = 0; t < THREADS; t++) {
      int seed = 29 + t;
      tasks.add(() -> trained(new Random(seed), n, d));
    }
    List<List<Object>> alone = new ArrayList<>();
    for (Callable<List<Object>> task : tasks) {
      alone.add(task.call());
    }
    assertThat(atOnce(tasks).equals(alone)).as("the same bits").isTrue();
  }

  private static List<Object> trained(Random random, int n, int d) {
    BatchNormLayer layer = new BatchNormLayer(d);
    List<Object> results = new ArrayList<>();
    for (int step = 0; step < 3; step++) {
      results.add(bits(layer.forward(input(random, n, d))));
      results.add(bits(layer.backward(gaussian(random, n, d))));
    }
    results.add(Snapshot.of(layer));
    return results;
  }
}
