package io.github.batchnorm;

/** The rules of the contract. Every message says what (value) rule. */
final class Check {
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
      throw new IllegalArgumentException(
          "%s has shape (%d, %s), expected (%d, %d) as %s"
              .formatted(name, matrix.length, columns, rows, features, like));
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
      throw new IllegalArgumentException(
          "%s[%d] has %s, expected %d".formatted(name, i, count(row.length, "value"), features));
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

  /** That what was computed for each feature, from values that are finite themselves, is finite. */
  static void noOverflow(String what, double[] values) {
    for (int j = 0; j < values.length; j++) {
      require(
          Double.isFinite(values[j]), "%s of column %d (%s) must be finite", what, j, values[j]);
    }
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
      throw new IllegalArgumentException(message.formatted(arguments));
    }
  }

  private static String count(int n, String noun) {
    return n + " " + noun + (n == 1 ? "" : "s");
  }
}
