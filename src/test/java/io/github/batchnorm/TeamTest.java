package io.github.batchnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
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
import java.util.concurrent.atomic.AtomicLong;
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
  private static final ThreadMXBean ALLOCATION = (ThreadMXBean) ManagementFactory.getThreadMXBean();

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
  void a_job_allocates_nothing_once_its_first_part_has_begun() {
    Thread caller = Thread.currentThread();
    for (int helpers = 0; helpers <= 3; helpers++) {
      try (Team team = new Team(threads, helpers)) {
        for (int job = 1; job <= 20; job++) {
          AtomicLong begun = new AtomicLong(Long.MAX_VALUE); // if the helpers do all, none is seen
          team.forEach(
              PARTS,
              part -> {
                if (Thread.currentThread() == caller && begun.get() == Long.MAX_VALUE) {
                  begun.set(ALLOCATION.getCurrentThreadAllocatedBytes());
                }
              });
          assertThat(ALLOCATION.getCurrentThreadAllocatedBytes() - begun.get())
              .as("bytes allocated in job %d with %d helpers", job, helpers)
              .isLessThanOrEqualTo(0);
        }
      }
    }
  }

  @Test
  void a_team_without_a_thread_to_be_had_is_the_caller() {
    for (Throwable problem :
        List.of(
            new OutOfMemoryError("unable to create native thread"),
            new SecurityException("access denied"))) {
      AtomicInteger done = new AtomicInteger();
      try (Team team = new Team(task -> fail(problem), 3)) {
        team.forEach(5, part -> done.incrementAndGet());
      }
      assertThat(done).hasValue(5);
    }
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
  void a_helper_that_comes_too_late_holds_on_to_no_matrix() throws InterruptedException {
    List<Runnable> late = new ArrayList<>();
    WeakReference<double[]> row = rowOfATeam(late::add);
    awaitCollection(row);
    assertThat(late).hasSize(1);
    assertThat(row.get()).as("a row of the job that is done").isNull();
  }

  /** In a method of its own, whose frame is gone when the collector looks. */
  private static WeakReference<double[]> rowOfATeam(Executor executor) {
    double[] row = new double[2];
    try (Team team = new Team(executor, 1)) {
      team.forEach(row.length, part -> row[part]++);
    }
    return new WeakReference<>(row);
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
  void helpers_are_daemons_of_normal_priority_that_end_without_work() throws InterruptedException {
    ThreadPoolExecutor helpers = Team.helpers(1);
    List<Thread> seen = new ArrayList<>();
    CountDownLatch ran = new CountDownLatch(1);
    Thread caller =
        new Thread(
            () ->
                helpers.execute(
                    () -> {
                      seen.add(Thread.currentThread());
                      ran.countDown();
                    }));
    caller.setPriority(Thread.MIN_PRIORITY); // a new thread would take over this and the next
    caller.setDaemon(false);
    caller.start();
    assertThat(await(ran)).isTrue();
    Thread helper = seen.get(0);
    assertThat(helper.isDaemon()).isTrue();
    assertThat(helper.getPriority()).isEqualTo(Thread.NORM_PRIORITY);
    helper.join(TimeUnit.SECONDS.toMillis(WAIT_SECONDS));
    assertThat(helper.isAlive()).isFalse();
  }

  /**
   * An application that shares the library with others, and has a class loader of its own. Its
   * thread leads to that loader in three ways: by its frames, its context and its group.
   */
  public static final class Application extends ThreadGroup {
    /** A group that is gone when its last thread is. */
    @SuppressWarnings("removal") // JDK 17 needs it
    public Application() {
      super("application");
      setDaemon(true);
    }

    /** Runs a task in a thread of this group, and waits for its end. */
    public void run(Runnable task) throws InterruptedException {
      Thread thread = new Thread(this, () -> task.run());
      thread.setContextClassLoader(getClass().getClassLoader());
      thread.start();
      thread.join();
    }
  }

  private static final class ApplicationLoader extends ClassLoader {
    ApplicationLoader() {
      super(Application.class.getClassLoader());
    }

    /** Defines the application's class anew, and lets it run a task. */
    void run(Runnable task) throws IOException, ReflectiveOperationException {
      String name = Application.class.getName();
      byte[] bytes;
      try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
        bytes = in.readAllBytes();
      }
      Class<?> application = defineClass(name, bytes, 0, bytes.length);
      application
          .getMethod("run", Runnable.class)
          .invoke(application.getConstructor().newInstance(), task);
    }
  }

  @Test
  void a_helper_at_work_lets_go_of_the_application_that_made_it_start() throws Exception {
    ThreadPoolExecutor helpers = Team.helpers(1);
    CountDownLatch end = new CountDownLatch(1);
    // the work is that of another application: this test's
    WeakReference<ClassLoader> application = run(() -> helpers.execute(() -> awaitEnd(end)));
    awaitCollection(application);
    assertThat(helpers.getActiveCount()).as("helpers at work").isEqualTo(1);
    end.countDown();
    assertThat(application.get()).as("the class loader of the application").isNull();
  }

  /** In a method of its own, whose frame is gone when the collector looks. */
  private static WeakReference<ClassLoader> run(Runnable task)
      throws IOException, ReflectiveOperationException {
    ApplicationLoader loader = new ApplicationLoader();
    loader.run(task);
    return new WeakReference<>(loader);
  }

  private static void awaitCollection(WeakReference<?> reference) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
    while (reference.get() != null && System.nanoTime() < deadline) {
      System.gc();
      Thread.sleep(10);
    }
  }

  private static void awaitEnd(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void a_helper_that_runs_out_of_memory_ends_without_noise() throws InterruptedException {
    assertThat(printedAtTheEndOfAHelper(new OutOfMemoryError("on purpose"))).isEmpty();
  }

  @Test
  void a_helper_that_ends_for_another_reason_says_so() throws InterruptedException {
    assertThat(printedAtTheEndOfAHelper(new IllegalStateException("on purpose")))
        .contains("batchnorm-helper", "java.lang.IllegalStateException: on purpose");
  }

  private static String printedAtTheEndOfAHelper(Throwable problem) throws InterruptedException {
    ThreadPoolExecutor helpers = Team.helpers(1);
    List<Thread> seen = new ArrayList<>();
    CountDownLatch ran = new CountDownLatch(1);
    PrintStream err = System.err;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      helpers.execute(
          () -> {
            seen.add(Thread.currentThread());
            ran.countDown();
            fail(problem);
          });
      assertThat(await(ran)).isTrue();
      seen.get(0).join();
    } finally {
      System.setErr(err);
    }
    return printed.toString(StandardCharsets.UTF_8);
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
