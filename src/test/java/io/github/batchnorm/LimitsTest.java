package io.github.batchnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where numbers, arrays and threads come to an end. */
class LimitsTest {
  private static BatchNormLayer layer(double gamma) {
    return BatchNormLayer.builder(1).gamma(new double[] {gamma}).build();
  }

  @Nested
  class Overflow {

    @Test
    void of_gamma_times_ivar_is_refused() {
      // ivar = 1 / √1e-5 = 316, times 1e306 it overflows
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer(1e306).forward(new double[][] {{3}, {3}}))
          .withMessage("gamma * ivar of column 0 (Infinity) must be finite: it overflows");
    }

    @Test
    void of_var_plus_epsilon_is_refused() {
      // 2 * (9e153)² = 1.62e308 is finite, and var = 8.1e307; with 1.8e308 it is not
      BatchNormLayer layer = BatchNormLayer.builder(1).epsilon(Double.MAX_VALUE).build();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.forward(new double[][] {{-9e153}, {9e153}}))
          .withMessage("sqrtvar of column 0 (Infinity) must be finite: it overflows");
    }

    @Test
    void of_gamma_times_ivar_in_inference_is_refused() {
      BatchNormLayer layer = BatchNormLayer.builder(1).smoothingFactor(1).build();
      layer.forward(new double[][] {{3}, {3}}); // running variance 0, ivar = 316
      layer.gamma()[0] = 1e306;
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.inferBackward(new double[][] {{3}}, new double[][] {{0}}))
          .withMessage("gamma * ivar of column 0 (Infinity) must be finite: it overflows");
    }

    @Test
    void of_dbeta_is_refused_under_its_name() {
      BatchNormLayer layer = layer(1);
      layer.forward(new double[][] {{3}, {3}});
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.backward(new double[][] {{1e308}, {1e308}}))
          .withMessage("dbeta of column 0 (Infinity) must be finite: it overflows");
    }
  }

  @Test
  void a_tiny_epsilon_does_not_spoil_a_constant_column() {
    // ivar = 1 / √1e-320 = 1e160, and its square overflows
    BatchNormLayer layer = BatchNormLayer.builder(1).epsilon(1e-320).build();
    layer.forward(new double[][] {{3}, {3}});
    assertThat(layer.backward(new double[][] {{1}, {1}}).dgamma()).containsExactly(0);
  }

  @Nested
  class WithoutTheCache {
    private final BatchNormLayer layer = BatchNormLayer.builder(1).cacheGraph(false).build();
    private final double[][] x = {{1}, {2}, {6}};

    @Test
    void an_out_that_is_x_is_refused_and_x_unharmed() {
      refusesToShare(0, x);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void an_out_that_shares_a_row_is_refused_and_x_unharmed(int shared) {
      refusesToShare(shared, new double[][] {{7}, {8}, x[shared]});
      refusesToShare(shared, new double[][] {x[shared], {7}, {8}});
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void an_out_of_many_rows_that_shares_one_is_refused_and_is_as_before(boolean parallel) {
      BatchNormLayer layer = BatchNormLayer.builder(1).cacheGraph(false).parallel(parallel).build();
      double[][] many = new double[20_000][1];
      double[][] out = new double[20_000][1];
      for (int i = 0; i < many.length; i++) {
        many[i][0] = i;
        out[i][0] = -i;
      }
      out[7] = out[8]; // the caller should not, but what it holds must not be lost
      out[19_999] = many[12_345];
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.forward(many, out))
          .withMessage("out shares x[12345] (a row that backward needs), expected rows of its own");
      assertThat(many[12_345][0]).isEqualTo(12_345);
      assertThat(out[7][0]).isEqualTo(-8);
      assertThat(out[13_000][0]).isEqualTo(-13_000);
    }

    private void refusesToShare(int shared, double[][] out) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.forward(x, out))
          .withMessage(
              "out shares x[%d] (a row that backward needs), expected rows of its own", shared);
      assertThat(x).isDeepEqualTo(new double[][] {{1}, {2}, {6}});
      assertThat(layer.batchesTracked()).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void a_dx_that_shares_a_row_of_x_is_refused_and_x_unharmed(int shared) {
      double[][] dout = {{1}, {5}, {2}};
      layer.forward(x);
      double[][] dx = layer.backward(dout).dx();
      for (double[][] output : new double[][][] {x, {x[1], x[2], x[0]}, {{7}, x[shared], {8}}}) {
        assertThatIllegalArgumentException()
            .isThrownBy(() -> layer.backward(dout, output))
            .withMessageMatching("dx shares x.[012]. .a row that backward needs., expected .*");
      }
      assertThat(x).isDeepEqualTo(new double[][] {{1}, {2}, {6}});
      assertThat(layer.backward(dout, dout).dx()).isDeepEqualTo(dx);
    }

    @Test
    void an_x_that_was_spoilt_after_forward_is_named() {
      layer.forward(x);
      x[2][0] = Double.NaN;
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.backward(new double[][] {{1}, {5}, {2}}))
          .withMessage("x[2][0] is NaN, expected a finite value");
    }

    @Test
    void a_dout_that_overflows_is_not_blamed_on_x() {
      layer.forward(x);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.backward(new double[][] {{1e308}, {1e308}, {1}}))
          .withMessage("dbeta of column 0 (Infinity) must be finite: it overflows");
    }

    @Test
    void an_out_of_its_own_is_accepted_even_with_the_same_values() {
      double[][] out = {{1}, {2}, {6}};
      assertThat(layer.forward(x, out)).isSameAs(out);
      assertThat(layer.graph().xmu()).isDeepEqualTo(new double[][] {{-2}, {-1}, {3}});
    }
  }

  @Test
  void infer_in_place_loses_no_row_when_it_refuses_one() {
    double[][] x = {{5}, {10}, {Double.NaN}};
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new BatchNormLayer(1).infer(x, x))
        .withMessage("x[2][0] is NaN, expected a finite value");
    assertThat(x[0][0]).isEqualTo(5);
    assertThat(x[1][0]).isEqualTo(10);
  }

  @Test
  void infer_in_place_loses_no_row_of_many_when_it_refuses_the_last() {
    double[][] x = new double[3001][40];
    x[3000][39] = Double.NaN;
    double[][] before = TestData.copy(x);
    BatchNormLayer layer = new BatchNormLayer(40);
    Arrays.fill(layer.beta(), 7); // what out would be
    assertThatIllegalArgumentException()
        .isThrownBy(() -> layer.infer(x, x))
        .withMessage("x[3000][39] is NaN, expected a finite value");
    assertThat(Arrays.deepEquals(x, before)).isTrue();
  }

  @Test
  void a_refused_forward_lets_go_of_the_x_before() throws InterruptedException {
    BatchNormLayer layer = BatchNormLayer.builder(1000).cacheGraph(false).build();
    double[][] x = new double[100][1000];
    ReferenceQueue<double[][]> collected = new ReferenceQueue<>();
    WeakReference<double[][]> kept = new WeakReference<>(x, collected);
    layer.forward(x);
    x = null;
    assertThatIllegalArgumentException().isThrownBy(() -> layer.forward(new double[1][1000]));
    System.gc();
    assertThat((Object) collected.remove(20_000)).isSameAs(kept);
  }

  @Nested
  class Threads {

    @Test
    void what_a_part_throws_reaches_the_caller() {
      RuntimeException exception = new IllegalStateException("on purpose");
      assertThatThrownBy(() -> forEach(3, part -> fail(part, exception))).isSameAs(exception);
      Error error = new AssertionError("on purpose");
      assertThatThrownBy(() -> forEach(3, part -> fail(part, error))).isSameAs(error);
    }

    @Test
    void what_a_part_throws_once_and_not_again_reaches_the_caller_too() {
      RuntimeException exception = new IllegalStateException("on purpose");
      assertThatThrownBy(() -> forEach(3, onlyOnce(exception))).isSameAs(exception);
      Error error = new AssertionError("on purpose");
      assertThatThrownBy(() -> forEach(3, onlyOnce(error))).isSameAs(error);
    }

    private static IntConsumer onlyOnce(Throwable problem) {
      AtomicBoolean isThrown = new AtomicBoolean();
      return part -> {
        if (part == 1 && !isThrown.getAndSet(true)) {
          fail(part, problem);
        }
      };
    }

    @Test
    void the_stack_trace_of_a_refusal_leads_to_the_caller_whoever_found_it() {
      double[][] x = new double[40_000][1];
      x[30_000] = new double[2];
      for (int run = 0; run < 20; run++) {
        assertThatThrownBy(() -> new BatchNormLayer(1).infer(x))
            .satisfies(
                e ->
                    assertThat(e.getStackTrace())
                        .extracting(StackTraceElement::getClassName)
                        .contains(getClass().getName()));
      }
    }

    private static void fail(int part, Throwable problem) {
      if (part == 1 && problem instanceof RuntimeException e) {
        throw e;
      }
      if (part == 1 && problem instanceof Error e) {
        throw e;
      }
    }

    @Test
    void of_several_problems_the_caller_gets_the_first_whoever_met_it_when() {
      for (int run = 0; run < 100; run++) {
        assertThatThrownBy(
                () ->
                    forEach(
                        50,
                        part -> {
                          if (part >= 20) {
                            throw new IllegalStateException("part " + part);
                          }
                        }))
            .hasMessage("part 20");
      }
    }

    @Test
    void the_first_wrong_row_of_many_is_named() {
      double[][] x = new double[50_000][1];
      x[49_999] = new double[2];
      x[30_001] = new double[3];
      x[30_002] = null;
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new BatchNormLayer(1).infer(x))
          .withMessage("x[30001] has 3 values, expected 1");
    }

    /** The parts take so long that whoever is done first has to wait; nothing hangs on how long. */
    @Test
    void who_is_done_waits_for_the_others() {
      AtomicInteger done = new AtomicInteger();
      forEach(
          2,
          part -> {
            sleep(part == 0 ? 100 : 200);
            done.incrementAndGet();
          });
      assertThat(done).hasValue(2);
    }

    private static void sleep(long milliseconds) {
      try {
        Thread.sleep(milliseconds);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    @Test
    void two_parts_are_done_at_once() {
      CountDownLatch both = new CountDownLatch(2);
      forEach(
          2,
          part -> {
            both.countDown();
            assertThat(await(both)).as("the other part has begun").isTrue();
          });
    }

    private static boolean await(CountDownLatch latch) {
      try {
        return latch.await(20, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    @Test
    void nothing_is_left_for_a_pool_that_had_no_thread_for_it() {
      ForkJoinPool pool = new ForkJoinPool(1);
      try {
        int left =
            pool.submit(
                    () -> {
                      forEach(3, part -> {});
                      return ForkJoinTask.getQueuedTaskCount();
                    })
                .join();
        assertThat(left).isZero();
      } finally {
        pool.shutdown();
      }
    }

    @Test
    void all_rows_of_many_are_done() {
      int n = 2 * 4096 + 5; // 2 parts, the last one with what is left
      int[] visits = new int[n];
      Team.forRows(
          n,
          4096,
          (first, end) -> {
            for (int i = first; i < end; i++) {
              visits[i]++;
            }
          });
      assertThat(visits).containsOnly(1);
    }

    private static void forEach(int parts, IntConsumer action) {
      try (Team team = new Team(2)) {
        team.forEach(parts, action);
      }
    }
  }

  @Test
  void messages_do_not_depend_on_the_locale() {
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.forLanguageTag("ar-EG"));
    try {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new BatchNormLayer(0))
          .withMessage("features (0) must be >= 1");
    } finally {
      Locale.setDefault(before);
    }
  }
}
