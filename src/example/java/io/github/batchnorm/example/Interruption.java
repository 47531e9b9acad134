package io.github.batchnorm.example;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C as a request: the program sees it, and has some seconds to end what it does. Without this
 * class the JVM would stop in the middle of a line.
 */
final class Interruption implements AutoCloseable {
  private static final int PATIENCE = 10; // seconds; a step and a measurement take less than one

  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread hook = new Thread(this::request, "interruption");
  private volatile boolean requested;

  /** Waits for Ctrl-C from now on. */
  static Interruption watch() {
    Interruption interruption = new Interruption();
    Runtime.getRuntime().addShutdownHook(interruption.hook);
    return interruption;
  }

  private Interruption() {}

  /** Whether the program is to end now. */
  boolean requested() {
    return requested;
  }

  private void request() {
    requested = true;
    try {
      closed.await(PATIENCE, TimeUnit.SECONDS); // the JVM ends when the hook does
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Says that the program has ended its work. */
  @Override
  public void close() {
    closed.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // the JVM is shutting down: the hook is running
    }
  }
}
