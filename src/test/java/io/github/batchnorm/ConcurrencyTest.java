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
import java.util.stream.IntStream;
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

  private final List<Problem> problems = // one for each thread
      IntStream.range(0, THREADS).mapToObj(t -> Problem.of(N, D, 29 + t)).toList();
  private final BatchNormLayer layer = problems.get(0).layer();
  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

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
    problems.forEach(p -> layer.forward(p.x()));
    Snapshot before = Snapshot.of(layer);
    List<Callable<Void>> tasks = new ArrayList<>();
    for (Problem own : problems) {
      double[][] out = layer.infer(own.x());
      BatchNormGradients gradients = layer.inferBackward(own.x(), own.dout());
      tasks.add(
          () -> {
            double[][] into = own.zeros();
            for (int call = 0; call < CALLS; call++) {
              assertSameBits(layer.infer(own.x()), out);
              assertSameBits(layer.infer(own.x(), into), out);
              assertSameBits(layer.inferBackward(own.x(), own.dout()), gradients);
            }
            return null;
          });
    }
    atOnce(tasks);
    assertThat(Snapshot.of(layer)).isEqualTo(before);
  }

  @Test
  void infer_leaves_the_graph_of_the_last_forward_to_backward() throws Exception {
    double[][] dout = problems.get(0).dout();
    layer.forward(problems.get(0).x());
    BatchNormGradients expected = layer.backward(dout);
    atOnce(problems.stream().<Callable<double[][]>>map(own -> () -> layer.infer(own.x())).toList());
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
