package io.github.batchnorm;

import java.util.Locale;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A table of named arrays as text: a line for a vector, and one for each row of a matrix. */
final class NodeTable {
  /** A larger matrix is shortened to its first and last rows and columns. */
  private static final int MAX_SHOWN = 6;

  private static final String STEP_AND_NODE = "%-4s  %-8s";
  private static final String COMPONENT = "%-20s";
  private static final String SHAPE = "  %-12s";

  private final StringBuilder text = new StringBuilder();
  private final int nameWidth;

  private NodeTable(String nameHead) {
    nameWidth = nameHead.length();
    text.append(nameHead).append("  shape");
  }

  /** An empty table for the nodes of a walk. */
  static NodeTable ofNodes() {
    return new NodeTable(String.format(STEP_AND_NODE, "step", "node"));
  }

  /** An empty table for the components of a record. */
  static NodeTable ofComponents() {
    return new NodeTable(String.format(COMPONENT, "component"));
  }

  /** Adds a node of shape (D). */
  NodeTable add(int step, String node, double[] values) {
    return line(String.format(STEP_AND_NODE, step, node), shape(values), values(values));
  }

  /** Adds a node of shape (N, D). */
  NodeTable add(int step, String node, double[][] rows) {
    String nextLine = "%n" + " ".repeat(nameWidth) + String.format(SHAPE, "");
    return line(
        String.format(STEP_AND_NODE, step, node),
        "(" + rows.length + ", " + (rows.length == 0 ? 0 : rows[0].length) + ")",
        shortened(rows.length, i -> values(rows[i]), String.format(nextLine)));
  }

  /** Adds a component of shape (D). */
  NodeTable add(String component, double[] values) {
    return line(String.format(COMPONENT, component), shape(values), values(values));
  }

  /** Adds a component that is no array. */
  NodeTable add(String component, Object value) {
    return line(String.format(COMPONENT, component), "", String.format("%14s", value));
  }

  private NodeTable line(String name, String shape, String values) {
    text.append(String.format("%n")).append(name).append(String.format(SHAPE, shape));
    text.append(values);
    return this;
  }

  private static String shape(double[] values) {
    return "(" + values.length + ")";
  }

  private static String values(double[] row) {
    return shortened(row.length, j -> String.format(Locale.ROOT, "%14.6g", row[j]), "");
  }

  /** The items by number, without those in the middle if they are many. */
  private static String shortened(int count, IntFunction<String> item, String separator) {
    int half = MAX_SHOWN / 2;
    return IntStream.range(0, count)
        .filter(i -> count <= MAX_SHOWN || i <= half || i >= count - half)
        .mapToObj(i -> count > MAX_SHOWN && i == half ? "  ..." : item.apply(i))
        .collect(Collectors.joining(separator));
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
