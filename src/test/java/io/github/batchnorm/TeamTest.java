package io.github.batchnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How a caller and its helpers share a job, and that nothing is left of a team. */
@Timeout(60)
class TeamTest {
  private static final int WAIT_SECONDS = 20;
  private static final int PARTS = 500;

  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void stopThreads() {
    threads.shutdownNow();
  }

  private static boolean await(CountDownLatch latch) {
    try {
      return latch.await(WAIT_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private void forEach(int helpers, int parts, IntConsumer action) {
    try (Team team = new Team(threads, helpers)) {
      team.forEach(parts, action);
    }
  }

  @ParameterizedTest(name = "{0} helpers, {1} parts")
  @CsvSource({"0, 3", "1, 1", "1, 2", "1, 50", "3, 2", "7, 1000"})
  void every_part_is_done_once(int helpers, int parts) {
    int[] visits = new int[parts]; // a part is visited by one thread, and await publishes it
    try (Team team = new Team(threads, helpers)) {
      for (int job = 1; job <= 20; job++) {
        team.forEach(parts, part -> visits[part]++);
        assertThat(visits).containsOnly(job);
      }
    }
  }

  /** Whether a helper comes in time is chance, so a job is given out until one has. */
  private static void repeatUntil(BooleanSupplier helped) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
    boolean isHelped = false;
    while (!isHelped && System.nanoTime() < deadline) {
      isHelped = helped.getAsBoolean();
    }
    assertThat(isHelped).as("a helper came").isTrue();
  }

  /** Long enough that a helper finds something left to do. */
  private static void spin() {
    for (int i = 0; i < 100; i++) {
      Thread.onSpinWait();
    }
  }

  @Test
  void a_helper_and_the_caller_share_the_parts() {
    repeatUntil(
        () -> {
          Set<Thread> members = ConcurrentHashMap.newKeySet();
          forEach(
              1,
              PARTS,
              part -> {
                members.add(Thread.currentThread());
                spin();
              });
          assertThat(members).hasSizeLessThanOrEqualTo(2).contains(Thread.currentThread());
          return members.size() == 2;
        });
  }

  @Test
  void the_caller_waits_for_the_part_of_a_helper() {
    Thread caller = Thread.currentThread();
    repeatUntil(
        () -> {
          AtomicInteger done = new AtomicInteger();
          AtomicInteger byHelper = new AtomicInteger();
          forEach(
              1,
              PARTS,
              part -> {
                spin();
                if (Thread.currentThread() != caller && byHelper.getAndIncrement() == 0) {
                  for (int i = 0; i < 10_000; i++) { // longer than the caller spins
                    Thread.yield();
                  }
                }
                done.incrementAndGet();
              });
          assertThat(done).hasValue(PARTS);
          return byHelper.get() > 0;
        });
  }

  @Test
  void what_a_part_throws_reaches_the_caller() {
    for (Throwable problem : problems()) {
      assertThatThrownBy(() -> forEach(1, PARTS, part -> fail(problem))).isSameAs(problem);
    }
  }

  @Test
  void what_a_part_of_a_helper_throws_reaches_the_caller() {
    Thread caller = Thread.currentThread();
    for (Throwable problem : problems()) {
      repeatUntil(
          () -> {
            Throwable thrown =
                catchThrowable(
                    () ->
                        forEach(
                            1,
                            PARTS,
                            part -> {
                              spin();
                              if (Thread.currentThread() != caller) {
                                fail(problem);
                              }
                            }));
            assertThat(thrown).isIn(problem, null);
            return thrown == problem;
          });
    }
  }

  private static List<Throwable> problems() {
    return List.of(new IllegalStateException("on purpose"), new AssertionError("on purpose"));
  }

  private static void fail(Throwable problem) {
    if (problem instanceof RuntimeException e) {
      throw e;
    }
    throw (Error) problem;
  }

  @Test
  void a_job_goes_on_after_a_part_that_threw() {
    AtomicInteger done = new AtomicInteger();
    assertThatThrownBy(
            () ->
                forEach(
                    1,
                    10,
                    part -> {
                      done.incrementAndGet();
                      throw new IllegalStateException("part " + part);
                    }))
        .isInstanceOf(IllegalStateException.class);
    assertThat(done).hasValue(10);
  }

  @Test
  void a_team_without_a_thread_to_be_had_is_the_caller() {
    Executor failing =
        task -> {
          throw new OutOfMemoryError("unable to create native thread");
        };
    AtomicInteger done = new AtomicInteger();
    try (Team team = new Team(failing, 3)) {
      team.forEach(5, part -> done.incrementAndGet());
    }
    assertThat(done).hasValue(5);
  }

  @Test
  void a_helper_that_never_comes_is_not_waited_for() {
    List<Runnable> dropped = new ArrayList<>();
    AtomicInteger done = new AtomicInteger();
    try (Team team = new Team(dropped::add, 3)) {
      team.forEach(5, part -> done.incrementAndGet());
    }
    assertThat(done).hasValue(5);
    assertThat(dropped).hasSize(3);
    // one that comes after the end finds nothing to do
    dropped.forEach(Runnable::run);
    assertThat(done).hasValue(5);
  }

  @Test
  void a_helper_leaves_when_the_team_is_dismissed() {
    CountDownLatch left = new CountDownLatch(3);
    try (Team team = new Team(counting(left), 3)) {
      team.forEach(100, part -> {});
    }
    assertThat(await(left)).as("all helpers are back").isTrue();
  }

  @Test
  void a_helper_leaves_a_team_that_has_nothing_to_do() {
    CountDownLatch left = new CountDownLatch(3);
    Team forgotten = new Team(counting(left), 3); // never closed
    assertThat(await(left)).as("all helpers are back").isTrue();
    AtomicInteger done = new AtomicInteger();
    forgotten.forEach(5, part -> done.incrementAndGet());
    assertThat(done).hasValue(5);
  }

  private Executor counting(CountDownLatch left) {
    return task ->
        threads.execute(
            () -> {
              task.run();
              left.countDown();
            });
  }

  @Test
  void helpers_that_are_busy_let_no_tasks_pile_up() {
    ThreadPoolExecutor helpers = Team.helpers(2);
    CountDownLatch end = new CountDownLatch(1);
    for (int i = 0; i < 1000; i++) {
      helpers.execute(() -> await(end));
    }
    assertThat(helpers.getQueue()).hasSize(2);
    assertThat(helpers.getPoolSize()).isEqualTo(2);
    end.countDown();
    helpers.shutdown();
  }

  @Test
  void helpers_are_daemons_that_end_without_work() throws InterruptedException {
    ThreadPoolExecutor helpers = Team.helpers(1);
    List<Thread> seen = new ArrayList<>();
    CountDownLatch ran = new CountDownLatch(1);
    helpers.execute(
        () -> {
          seen.add(Thread.currentThread());
          ran.countDown();
        });
    assertThat(await(ran)).isTrue();
    Thread helper = seen.get(0);
    assertThat(helper.isDaemon()).isTrue();
    helper.join(TimeUnit.SECONDS.toMillis(WAIT_SECONDS));
    assertThat(helper.isAlive()).isFalse();
  }

  @Test
  void no_helper_is_in_the_library_once_a_large_forward_has_returned() {
    BatchNormLayer layer = new BatchNormLayer(256);
    for (int i = 0; i < 20; i++) {
      layer.forward(new double[512][256]);
    }
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
    while (isAnyHelperAtWork() && System.nanoTime() < deadline) {
      Thread.yield();
    }
    assertThat(isAnyHelperAtWork()).isFalse();
  }

  private static boolean isAnyHelperAtWork() {
    return Thread.getAllStackTraces().entrySet().stream()
        .filter(e -> e.getKey().getName().equals("batchnorm-helper"))
        .flatMap(e -> Arrays.stream(e.getValue()))
        .anyMatch(frame -> frame.getClassName().equals(Team.class.getName()));
  }

  @Test
  void many_callers_at_once_all_get_the_same_bits() throws Exception {
    double[][] x = TestData.input(new Random(53), 300, 300);
    double[][] expected = new BatchNormLayer(300).forward(x);
    List<Future<Boolean>> results = new ArrayList<>();
    for (int caller = 0; caller < 16; caller++) {
      results.add(
          threads.submit(
              () -> {
                BatchNormLayer layer = new BatchNormLayer(300);
                boolean same = true;
                for (int call = 0; call < 50; call++) {
                  same &= Arrays.deepEquals(layer.forward(x), expected);
                }
                return same;
              }));
    }
    for (Future<Boolean> result : results) {
      assertThat(result.get(WAIT_SECONDS, TimeUnit.SECONDS)).isTrue();
    }
  }
}
