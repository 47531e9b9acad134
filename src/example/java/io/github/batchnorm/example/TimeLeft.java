package io.github.batchnorm.example;

import java.util.Locale;
import java.util.function.LongSupplier;

/** How long the remaining steps will take if they are as fast as those so far. */
final class TimeLeft {
  private final long steps;
  private final String label;
  private final LongSupplier nanoTime;
  private final long start;
  private long done;

  /**
   * Starts to measure.
   *
   * @param steps how many there will be, at least 1
   * @param label follows the seconds in the text: "left", or what the steps are for as well
   */
  TimeLeft(long steps, String label) {
    this(steps, label, System::nanoTime);
  }

  TimeLeft(long steps, String label, LongSupplier nanoTime) {
    this.steps = steps;
    this.label = label;
    this.nanoTime = nanoTime;
    start = nanoTime.getAsLong();
  }

  /** Takes note of one more step. */
  void step() {
    done++;
  }

  /** How long it has taken so far. */
  double seconds() {
    return (nanoTime.getAsLong() - start) * 1e-9;
  }

  /** The time left as text; there must have been a step. */
  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%.0f s %s", seconds() / done * (steps - done), label);
  }
}
