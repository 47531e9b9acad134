package io.github.batchnorm.example;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;

/** The test accuracy of both networks against the steps, as text. */
final class AccuracyTable {
  private AccuracyTable() {}

  /**
   * Prints the table.
   *
   * @param without the measurements without batch norm
   * @param with those with batch norm, after the same steps
   */
  static void print(
      Schedule schedule, List<Measurement> without, List<Measurement> with, PrintStream out) {
    out.printf("%nTest accuracy%n");
    out.println("  step   without batch norm   with batch norm");
    for (int i = 0; i < without.size(); i++) {
      int step = without.get(i).step();
      if (schedule.isRow(step)) {
        double left = without.get(i).accuracy();
        double right = with.get(i).accuracy();
        out.printf(Locale.ROOT, "%6d   %18.4f   %15.4f%n", step, left, right);
      }
    }
  }
}
