package io.github.batchnorm.benchmark;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A table in Markdown, aligned, to be read as it is or pasted into the README. */
final class Table {
  private final List<List<String>> rows = new ArrayList<>();

  /** Starts with the first row. */
  Table(List<String> head) {
    rows.add(head);
  }

  /** Adds a row with a cell for each of the head. */
  void add(List<String> row) {
    rows.add(row);
  }

  /** Prints it, with an empty line above and below the title. */
  void print(String title) {
    int[] widths =
        IntStream.range(0, rows.get(0).size())
            .map(c -> rows.stream().mapToInt(row -> row.get(c).length()).max().orElseThrow())
            .toArray();
    System.out.printf("%n%s%n%n", title);
    System.out.println(line(rows.get(0), widths));
    System.out.println(
        line(IntStream.of(widths).mapToObj(w -> "-".repeat(w - 1) + ":").toList(), widths));
    rows.stream().skip(1).forEach(row -> System.out.println(line(row, widths)));
  }

  private static String line(List<String> row, int[] widths) {
    return IntStream.range(0, row.size())
        .mapToObj(c -> " ".repeat(widths[c] - row.get(c).length()) + row.get(c))
        .collect(Collectors.joining(" | ", "| ", " |"));
  }

  /** A number with so many significant digits, never in scientific notation. */
  static String digits(double value, int digits) {
    return BigDecimal.valueOf(value).round(new MathContext(digits)).toPlainString();
  }
}
