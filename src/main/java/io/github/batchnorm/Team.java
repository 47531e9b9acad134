package io.github.batchnorm;

import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.IntConsumer;

/**
 * The caller and, as far as they come in time, threads of the common pool, or of the pool that the
 * caller is in. They do one job after another, each of independent parts.
 *
 * <p>Everyone has a share of the parts, and takes what is left of the others' when it is done. So
 * from one job to the next most parts stay with the same thread, whose caches may still hold their
 * rows: where the two cores have no cache in common, two threads that took the parts in their order
 * were slower than one (390 : 290 µs at 256 x 1024). The caller never waits for a thread that has
 * not come, so that a pool that is busy, has one thread or none costs little. Between the jobs and
 * at the end of one nobody sleeps: to wake a thread up takes 20 to 50 µs, which is longer than a
 * part. 8 parts of 5 µs each took 43 µs on one thread, 42 µs by a parallel stream on two cores, and
 * 23 µs so.
 */
final class Team implements AutoCloseable {
  /** So often a thread looks again before it lets others have its core: some 20 µs. */
  private static final int SPINS = 1000;

  /** Something to do with rows {@code [first, end)}. */
  interface RowsAction {
    void accept(int first, int end);
  }

  private static final Job NOTHING = new Job(0, 1, null);

  private final ForkJoinTask<?>[] helpers;
  private volatile Job job = NOTHING;
  private volatile boolean dismissed;

  /**
   * Calls the team together.
   *
   * @param size how many threads are of use, with the caller
   */
  Team(int size) {
    helpers = new ForkJoinTask<?>[Math.min(size, cores()) - 1];
    for (int h = 0; h < helpers.length; h++) {
      int member = h + 1; // 0 is the caller
      helpers[h] = ForkJoinTask.adapt(() -> help(member)).fork();
    }
  }

  /** Calls {@code action} with all of n rows, in parts of {@code rowsOfAPart} or a few more. */
  static void forRows(int n, int rowsOfAPart, RowsAction action) {
    int parts = n / rowsOfAPart;
    try (Team team = new Team(parts)) {
      team.forEach(
          parts,
          part -> {
            int first = part * rowsOfAPart;
            action.accept(first, part == parts - 1 ? n : first + rowsOfAPart);
          });
    }
  }

  private static int cores() {
    ForkJoinPool pool = ForkJoinTask.getPool(); // the one that fork() hands a task to, or null
    int threads = pool == null ? ForkJoinPool.getCommonPoolParallelism() : pool.getParallelism();
    return Math.min(threads + 1, Runtime.getRuntime().availableProcessors());
  }

  private void help(int member) {
    Job last = NOTHING;
    for (int spins = 0; !dismissed; spins++) {
      Job current = job;
      if (current != last) {
        last = current;
        current.takeParts(member);
        spins = 0;
      }
      pause(spins);
    }
  }

  /**
   * Calls {@code action} with 0 to {@code parts - 1}, in any order, and returns when all calls
   * have.
   *
   * @throws RuntimeException what a call threw, if one did: the one of the lowest number
   */
  void forEach(int parts, IntConsumer action) {
    Job current = new Job(parts, helpers.length + 1, action);
    job = current;
    current.takeParts(0);
    current.await();
  }

  /** Sends the threads back. */
  @Override
  public void close() {
    dismissed = true;
    job = NOTHING; // a helper that comes too late must not hold on to a matrix
    for (int h = helpers.length - 1; h >= 0; h--) {
      helpers[h].tryUnfork(); // else it would stay in the queue of a pool that has no threads
    }
  }

  private static void pause(int spins) {
    if (spins < SPINS) {
      Thread.onSpinWait();
    } else {
      Thread.yield();
    }
  }

  private static final class Job {
    private final int parts;
    private final int members;
    private final IntConsumer action;
    private final AtomicIntegerArray taken; // 1 for a part that somebody has taken
    private final AtomicInteger done = new AtomicInteger();
    private int failed = Integer.MAX_VALUE; // the lowest part that did
    private Throwable failure;

    Job(int parts, int members, IntConsumer action) {
      this.parts = parts;
      this.members = members;
      this.action = action;
      taken = new AtomicIntegerArray(parts);
    }

    /** Does what nobody has taken, from the member's share on: after that all is taken. */
    void takeParts(int member) {
      int share = (int) ((long) parts * member / members);
      for (int i = 0; i < parts; i++) {
        int part = (share + i) % parts;
        if (taken.compareAndSet(part, 0, 1)) {
          take(part);
        }
      }
    }

    private void take(int part) {
      try {
        action.accept(part);
      } catch (RuntimeException | Error e) {
        fail(part, e);
      } finally {
        done.incrementAndGet();
      }
    }

    private synchronized void fail(int part, Throwable e) {
      if (part < failed) {
        failed = part;
        failure = e;
      }
    }

    void await() {
      for (int spins = 0; done.get() < parts; spins++) {
        pause(spins);
      }
      if (failure != null) {
        action.accept(failed); // again, so that the stack trace leads to the caller
      }
      if (failure instanceof Error e) {
        throw e;
      }
      if (failure != null) {
        throw (RuntimeException) failure;
      }
    }
  }
}
