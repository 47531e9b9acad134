package io.github.batchnorm.example;

import java.util.List;

/**
 * The steps after which a network is measured: evenly spaced, and a few early ones, since most of
 * the difference that batch norm makes is there.
 */
final class Schedule {
  private static final List<Integer> EARLY =
      List.of(10, 20, 30, 50, 70, 100, 150, 200, 300, 500, 1000, 2000, 5000);
  private static final int POINTS = 100; // on a line of the figure
  private static final int ROWS = 20; // of the table

  private final int steps;

  Schedule(int steps) {
    this.steps = steps;
  }

  /** Whether the network is to be measured after this step. */
  boolean isPoint(int step) {
    return isOneOf(POINTS, step);
  }

  /** Whether the measurement is to be a row of the table; the table has some of the points. */
  boolean isRow(int step) {
    return isOneOf(ROWS, step);
  }

  /** Whether step is an early one or one of {@code parts} multiples of steps / parts. */
  private boolean isOneOf(int parts, int step) {
    long before = (step - 1L) * parts / steps;
    long after = (long) step * parts / steps;
    return after > before || EARLY.contains(step);
  }
}
