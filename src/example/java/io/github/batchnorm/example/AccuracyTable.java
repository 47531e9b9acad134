package io.github.batchnorm.example;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;

/** The test accuracy of both networks against the steps, as text. */
final class AccuracyTable {
  private AccuracyTable() {}

  /**
   * Prints the table; a "-" stands for what has not been measured.
   *
   * @param without the measurements without batch norm
   * @param with those with batch norm, after the same steps, but there may be fewer of them
   */
  static void print(
      Schedule schedule, List<Measurement> without, List<Measurement> with, PrintStream out) {
    out.printf("%nTest accuracy%n");
    out.println("  step   without batch norm   with batch norm");
    for (int i = 0; i < without.size(); i++) {
      int step = without.get(i).step();
      if (schedule.isRow(step)) {
        String right = i < with.size() ? accuracy(with.get(i)) : "-";
        out.printf("%6d   %18s   %15s%n", step, accuracy(without.get(i)), right);
      }
    }
  }

  private static String accuracy(Measurement measurement) {
    return String.format(Locale.ROOT, "%.4f", measurement.accuracy());
  }
}
