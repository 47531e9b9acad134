package io.github.batchnorm;

import java.security.AccessController;
import java.security.PrivilegedAction;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.IntConsumer;

/**
 * The threads that do a walk together: its caller, and helpers from a pool. They do one job after
 * another.
 *
 * <p>A job has independent parts. Each member of the team does its own share of them first, and
 * then takes what is left of the others' shares. So most parts stay with the same thread from one
 * job to the next, and its caches may still hold their rows. The caller never waits for a helper to
 * arrive. If a helper is busy elsewhere, the others do its share.
 *
 * <p>Memory may run out at any time. A team that cannot get a thread does without it. A job has all
 * the memory that it needs before its first part begins. So a job whose parts allocate nothing
 * either throws before it has written anything, or does all its parts.
 */
final class Team implements AutoCloseable {
  /**
   * How many times the caller checks whether the helpers are done before the caller yields: some 20
   * µs in all. A helper without a job looks for one at the same rate, PATIENCE times. Waking a
   * sleeping thread takes 20 to 50 µs, longer than a part, so no member sleeps between two jobs.
   */
  private static final int SPINS = 1000;

  /**
   * A helper that has found no new job for some 1 ms leaves: other work may need the core. Between
   * two jobs the caller may add up the sums of 1,563 tiles (100000 x 32), half of which are in the
   * other core's cache. This takes 0.4 ms: helpers that left after 0.2 ms missed the next job.
   */
  private static final int PATIENCE = 50 * SPINS;

  static final int CORES = Runtime.getRuntime().availableProcessors();
  static final ThreadPoolExecutor HELPERS = helpers(Math.max(1, CORES - 1));
  private static final Job NO_JOB = new Job(0, 1, null);

  /** The caller alone. */
  static final Team ALONE = new Team(HELPERS, 0);

  private final int members;
  private volatile Job job = NO_JOB; // null once the team is dismissed

  /** A team of the caller and {@code helpers} tasks that {@code executor} runs. */
  Team(Executor executor, int helpers) {
    members = 1 + helpers;
    try {
      for (int member = 1; member < members; member++) {
        int own = member;
        executor.execute(() -> help(own));
      }
    } catch (RuntimeException | Error e) {
      // no memory or no permission for another thread: the walk can do without
    }
  }

  /**
   * A team of {@code threads} threads, the caller's among them, or of {@code parts} if that is
   * less.
   */
  static Team of(int parts, int threads) {
    int members = Math.min(parts, threads);
    return members == 1 ? ALONE : new Team(HELPERS, members - 1);
  }

  /**
   * Threads for the teams of all layers. They end after a second without work. As many tasks may
   * wait as there are threads. Further tasks are dropped, so nothing piles up when many callers
   * want help at once.
   */
  static ThreadPoolExecutor helpers(int count) {
    ThreadPoolExecutor helpers =
        new ThreadPoolExecutor(
            count,
            count,
            1,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(count),
            Team::daemon,
            new ThreadPoolExecutor.DiscardPolicy());
    helpers.allowCoreThreadTimeOut(true);
    return helpers;
  }

  /**
   * A thread that keeps no reference to the caller that happens to need it first. It may outlive
   * that caller's application, whose class loader must then be free for collection.
   */
  @SuppressWarnings("removal") // nothing else makes a thread in JDK 17 to 23 forget who made it
  private static Thread daemon(Runnable task) {
    return AccessController.doPrivileged(
        (PrivilegedAction<Thread>)
            () -> {
              Thread thread = new Thread(topGroup(), task, "batchnorm-helper", 0, false);
              thread.setContextClassLoader(null);
              thread.setDaemon(true);
              thread.setPriority(Thread.NORM_PRIORITY);
              thread.setUncaughtExceptionHandler(Team::endOf);
              return thread;
            });
  }

  private static ThreadGroup topGroup() {
    ThreadGroup group = Thread.currentThread().getThreadGroup();
    while (group.getParent() != null) {
      group = group.getParent();
    }
    return group;
  }

  /**
   * Reports what ends a helper. A helper without memory for its sleep just ends; what a part throws
   * reaches the caller instead.
   */
  private static void endOf(Thread helper, Throwable problem) {
    if (!(problem instanceof OutOfMemoryError)) {
      helper.getThreadGroup().uncaughtException(helper, problem);
    }
  }

  private void help(int member) {
    Job last = NO_JOB;
    for (int spins = 0; spins < PATIENCE; spins++) {
      Job current = job;
      if (current == null) {
        return;
      }
      if (current != last) {
        current.takeParts(member);
        last = current;
        spins = 0;
      }
      Thread.onSpinWait();
    }
  }

  /**
   * Calls {@code action} with 0 to {@code parts - 1}, in any order, and returns when all calls have
   * returned. Allocates nothing after the first call has begun.
   *
   * @throws RuntimeException if a call threw it; an Error likewise
   */
  void forEach(int parts, IntConsumer action) {
    if (members == 1 || parts == 1) {
      for (int part = 0; part < parts; part++) {
        action.accept(part);
      }
      return;
    }
    Job current = new Job(parts, members, action); // the last thing to be allocated
    job = current;
    current.takeParts(0);
    current.await();
  }

  /** Sends the helpers away. */
  @Override
  public void close() {
    if (members > 1) { // all small walks share ALONE, and should not share a write
      job = null; // a helper that comes too late must not hold on to a matrix
    }
  }

  private static final class Job {
    private final int parts;
    private final int members;
    private final IntConsumer action;
    private final AtomicIntegerArray taken; // 1 for a part that somebody has taken
    private final AtomicInteger left;
    private volatile Throwable failure; // what a part threw, if one did

    Job(int parts, int members, IntConsumer action) {
      this.parts = parts;
      this.members = members;
      this.action = action;
      taken = new AtomicIntegerArray(parts);
      left = new AtomicInteger(parts);
    }

    /**
     * Does the parts that nobody has taken yet, the member's share first. After this call every
     * part is taken, but other members may still be at work on theirs.
     */
    void takeParts(int member) {
      int share = (int) ((long) parts * member / members);
      int done = 0;
      for (int i = 0; i < parts; i++) {
        int part = (share + i) % parts;
        if (taken.compareAndSet(part, 0, 1)) {
          take(part);
          done++;
        }
      }
      left.addAndGet(-done); // once: counting each part took 4 % of the time at 100000 x 32
    }

    private void take(int part) {
      try {
        action.accept(part);
      } catch (RuntimeException | Error e) {
        failure = e; // allocates nothing: memory may have run out
      }
    }

    void await() {
      for (int spins = 0; left.get() > 0; spins++) {
        if (spins < SPINS) {
          Thread.onSpinWait();
        } else {
          Thread.yield();
        }
      }
      if (failure instanceof RuntimeException e) {
        throw e;
      }
      if (failure instanceof Error e) {
        throw e;
      }
    }
  }
}
