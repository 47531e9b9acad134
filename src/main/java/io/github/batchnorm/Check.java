package io.github.batchnorm;

import java.util.List;
import java.util.Locale;

/** The rules of the contract. Every message says what (value) rule. */
final class Check {
  /** A NaN that no computation makes; as an input it would be refused anyway. */
  private static final double MARK = Double.longBitsToDouble(0x7ff8_b17c_404b_2016L);

  private Check() {}

  static void features(int features) {
    require(features >= 1, "features (%d) must be >= 1", features);
  }

  static void epsilon(double epsilon) {
    // negated comparisons, here and below, also catch NaN
    require(
        epsilon > 0 && Double.isFinite(epsilon), "epsilon (%s) must be finite and > 0", epsilon);
  }

  static void smoothingFactor(double a) {
    require(a > 0 && a <= 1, "smoothingFactor (%s) must be in (0, 1]", a);
  }

  /** That {@code vector} has {@code features} values, all of them finite. */
  static void vector(String name, double[] vector, int features) {
    nonNull(vector, name);
    require(
        vector.length == features,
        "%s has %s, expected %d",
        name,
        count(vector.length, "value"),
        features);
    finite(name, vector);
  }

  static void finite(String name, double[] vector) {
    for (int j = 0; j < vector.length; j++) {
      if (!Double.isFinite(vector[j])) {
        throw notFinite(name + "[" + j + "]", vector[j]);
      }
    }
  }

  /** That {@code matrix} has at least one row, and {@code features} values in every row. */
  static void matrix(String name, double[][] matrix, int features) {
    nonNull(matrix, name);
    require(matrix.length > 0, "%s has 0 rows, expected at least 1", name);
    for (int i = 0; i < matrix.length; i++) {
      row(name, matrix[i], i, features);
    }
  }

  /** A {@link #matrix} to train on: one row has no variance. */
  static void batch(String name, double[][] matrix, int features) {
    matrix(name, matrix, features);
    require(
        matrix.length > 1,
        "%s has 1 row, expected at least 2: the variance of one row is 0 whatever it holds; merge it"
            + " into another mini-batch, leave it out, or use infer",
        name);
  }

  /** That {@code matrix} has the shape (rows, features) of {@code like}. */
  static void shape(String name, double[][] matrix, int rows, int features, String like) {
    nonNull(matrix, name);
    if (matrix.length != rows) {
      Object columns = matrix.length > 0 && matrix[0] != null ? matrix[0].length : "?";
      throw illegal(
          "%s has shape (%d, %s), expected (%d, %d) as %s",
          name, matrix.length, columns, rows, features, like);
    }
    for (int i = 0; i < rows; i++) {
      row(name, matrix[i], i, features);
    }
  }

  private static void row(String name, double[] row, int i, int features) {
    if (row == null) {
      throw new NullPointerException(name + "[" + i + "] is null, expected a row of " + features);
    }
    if (row.length != features) {
      throw illegal("%s[%d] has %s, expected %d", name, i, count(row.length, "value"), features);
    }
  }

  /**
   * Names the culprit after a sum over the batch turned out not to be finite. Called only then, so
   * that good input is not searched.
   */
  static void finite(String name, double[][] matrix) {
    for (int i = 0; i < matrix.length; i++) {
      finite(name, i, matrix[i]);
    }
  }

  /** The same for row i of a matrix. */
  static void finite(String name, int i, double[] row) {
    for (int j = 0; j < row.length; j++) {
      if (!Double.isFinite(row[j])) {
        throw notFinite(name + "[" + i + "][" + j + "]", row[j]);
      }
    }
  }

  /**
   * Names the first value per feature that is not finite, although all that it was computed from
   * is.
   *
   * @param names of the nodes
   * @param nodes at least one of them with such a value
   */
  static IllegalArgumentException overflow(List<String> names, double[]... nodes) {
    for (int node = 0; ; node++) {
      for (int j = 0; j < nodes[node].length; j++) {
        if (!Double.isFinite(nodes[node][j])) {
          return illegal(
              "%s of column %d (%s) must be finite: it overflows",
              names.get(node), j, nodes[node][j]);
        }
      }
    }
  }

  /** That {@code out} does not overwrite {@code x}, which backward will read again. */
  static void noSharedRow(String xName, double[][] x, String outName, double[][] out) {
    // a mark in each row of out shows in x where the two share a row: three visits to the first
    // value of a row, where a set of identities would take longer than the forward itself
    double[] first = new double[out.length];
    for (int i = 0; i < out.length; i++) {
      first[i] = out[i][0];
      out[i][0] = MARK;
    }
    int shared = 0;
    while (shared < x.length && !isMark(x[shared][0])) {
      shared++;
    }
    for (int i = out.length - 1; i >= 0; i--) {
      out[i][0] = first[i];
    }
    require(
        shared == x.length,
        "%s shares %s[%d] (a row that backward needs), expected rows of its own",
        outName,
        xName,
        shared);
  }

  private static boolean isMark(double value) {
    return Double.doubleToRawLongBits(value) == Double.doubleToRawLongBits(MARK);
  }

  static void graph(boolean ready, String method) {
    if (!ready) {
      throw new IllegalStateException(
          method + " needs the graph of a forward: none was made yet, or the last one failed");
    }
  }

  private static IllegalArgumentException notFinite(String place, double value) {
    return new IllegalArgumentException(place + " is " + value + ", expected a finite value");
  }

  private static void nonNull(Object argument, String name) {
    if (argument == null) {
      throw new NullPointerException(name + " is null");
    }
  }

  private static void require(boolean holds, String message, Object... arguments) {
    if (!holds) {
      throw illegal(message, arguments);
    }
  }

  private static IllegalArgumentException illegal(String message, Object... arguments) {
    return new IllegalArgumentException(String.format(Locale.ROOT, message, arguments));
  }

  private static String count(int n, String noun) {
    return n + " " + noun + (n == 1 ? "" : "s");
  }
}
