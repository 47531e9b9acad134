package io.github.batchnorm;

import java.util.Locale;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Nodes of the graph as text, in the order of a walk: a line for each row. */
final class NodeTable {
  /** A larger matrix is shortened to its first and last rows and columns. */
  private static final int MAX_SHOWN = 6;

  private static final String HEAD = "%-4s  %-8s  %-12s";

  private final StringBuilder text = new StringBuilder();

  NodeTable() {
    text.append(String.format(HEAD, "step", "node", "shape").stripTrailing());
  }

  /** Adds a node of shape (D). */
  NodeTable add(int step, String name, double[] node) {
    return add(step, name, "(" + node.length + ")", values(node));
  }

  /** Adds a node of shape (N, D). */
  NodeTable add(int step, String name, double[][] node) {
    String nextLine = String.format("%n" + HEAD, "", "", "");
    String shape = "(" + node.length + ", " + node[0].length + ")";
    return add(step, name, shape, shortened(node.length, i -> values(node[i]), nextLine));
  }

  private NodeTable add(int step, String name, String shape, String values) {
    text.append(String.format("%n" + HEAD, step, name, shape)).append(values);
    return this;
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
