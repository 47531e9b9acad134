package io.github.batchnorm;

import java.util.Locale;

/**
 * Checks of the rules of the contract: each throws if its rule is broken. Every message names the
 * argument, its value and the rule.
 */
final class Check {
  private static final String WHY_NOT_ONE_ROW =
      ": the variance of one row is 0 whatever it holds; merge it into another mini-batch, leave it"
          + " out, or use infer";

  private Check() {}

  static void atLeast(long least, String name, long value) {
    require(value >= least, "%s (%d) must be >= %d", name, value, least);
  }

  /** The largest epsilon: its sum with any finite variance is finite. */
  private static final double MAX_EPSILON = 1e290;

  static void epsilon(double epsilon) {
    // a comparison that must hold, here and below, also catches NaN
    require(
        epsilon >= Double.MIN_NORMAL && epsilon <= MAX_EPSILON,
        "epsilon (%s) must be in [%s, %s]",
        epsilon,
        Double.MIN_NORMAL,
        MAX_EPSILON);
  }

  static void smoothingFactor(double a) {
    require(a > 0 && a <= 1, "smoothingFactor (%s) must be in (0, 1]", a);
  }

  /** That {@code vector} has {@code features} values, all of them finite and not negative. */
  static void variances(String name, double[] vector, int features) {
    vector(name, vector, features);
    for (int j = 0; j < vector.length; j++) {
      require(
          vector[j] >= 0,
          "%s[%d] (%s) must be >= 0; if another library rounded it below 0, add epsilon to every"
              + " variance and build the layer with a tiny epsilon",
          name,
          j,
          vector[j]);
    }
  }

  /** That no step of a gradient check from a value overflows. */
  static void inReach(String name, double[] vector) {
    for (int j = 0; j < vector.length; j++) {
      require(
          Math.abs(vector[j]) <= 0x1p1020,
          "%s[%d] (%s) must be in [-2^1020, 2^1020]: steps from it would overflow",
          name,
          j,
          vector[j]);
    }
  }

  static double tolerance(double tolerance) {
    require(tolerance > 0 && tolerance < 1, "tolerance (%s) must be in (0, 1)", tolerance);
    return tolerance;
  }

  /** That {@code vector} has {@code features} values, all of them finite. */
  static void vector(String name, double[] vector, int features) {
    length(name, vector, features);
    finite(name, vector);
  }

  /** That {@code vector} has at least one value, and that all values are finite. */
  static void vector(String name, double[] vector) {
    nonNull(vector, name);
    require(vector.length > 0, "%s has 0 values, expected at least 1", name);
    finite(name, vector);
  }

  /** That {@code matrix} has at least one value, has rows of the same length, and is finite. */
  static void finiteMatrix(String name, double[][] matrix) {
    nonNull(matrix, name);
    require(matrix.length > 0, "%s has 0 rows, expected at least 1", name);
    nonNull(matrix[0], name + "[0]");
    require(matrix[0].length > 0, "%s[0] has 0 values, expected at least 1", name);
    rows(name, matrix, matrix[0].length);
    finite(name, matrix);
  }

  /** That a {@code part} of the layer has as many features as the layer. */
  static void features(String part, int features, int expected) {
    require(
        features == expected,
        "%s has %s, expected %d",
        part,
        counted(features, "feature"),
        expected);
  }

  static void length(String name, double[] vector, int length) {
    nonNull(vector, name);
    if (vector.length != length) {
      throw illegal("%s has %s, expected %d", name, counted(vector.length, "value"), length);
    }
  }

  static void finite(String name, double[] vector) {
    if (!Rows.areFinite(vector)) {
      int j = firstNotFinite(vector);
      throw illegal("%s[%d] is %s, expected a finite value", name, j, vector[j]);
    }
  }

  /** The place of the first value that is not finite; there must be one. */
  private static int firstNotFinite(double[] vector) {
    int j = 0;
    while (Double.isFinite(vector[j])) {
      j++;
    }
    return j;
  }

  /** That {@code matrix} has at least {@code leastRows} rows, of {@code features} values each. */
  static void matrix(String name, double[][] matrix, int leastRows, int features) {
    rows(name, matrix, features);
    if (matrix.length < leastRows) {
      throw illegal(
          "%s has %s, expected at least %d%s",
          name,
          counted(matrix.length, "row"),
          leastRows,
          matrix.length == 1 ? WHY_NOT_ONE_ROW : "");
    }
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
    rows(name, matrix, features);
  }

  /** That every row has {@code features} values. */
  static void rows(String name, double[][] matrix, int features) {
    nonNull(matrix, name);
    for (int i = 0; i < matrix.length; i++) {
      double[] row = matrix[i];
      if (row == null) {
        throw new NullPointerException(name + "[" + i + "] is null, expected a row of " + features);
      }
      if (row.length != features) {
        throw illegal(
            "%s[%d] has %s, expected %d", name, i, counted(row.length, "value"), features);
      }
    }
  }

  /**
   * Refuses a matrix that holds a value that is not finite, and names the first such value. The
   * layer calls this method only after a walk has met one, so good input is not searched.
   */
  static void finite(String name, double[][] matrix) {
    for (int i = 0; i < matrix.length; i++) {
      finite(name + "[" + i + "]", matrix[i]);
    }
  }

  /** That no value of a node overflows, although the input is finite. */
  static void noOverflow(String node, double[] values) {
    if (!Rows.areFinite(values)) {
      throw overflow(node, values);
    }
  }

  /** Names the first value of a node that overflows; there must be one. */
  static IllegalArgumentException overflow(String node, double[] values) {
    int j = firstNotFinite(values);
    return illegal("%s of column %d (%s) must be finite: it overflows", node, j, values[j]);
  }

  /** That statistics are of {@code features} columns. */
  static void statistics(String name, ColumnStatistics statistics, int features) {
    nonNull(statistics, name);
    features(name, statistics.features(), features);
  }

  /** That statistics have at least one row. */
  static void hasRows(ColumnStatistics statistics) {
    if (statistics.rows() == 0) {
      throw new IllegalStateException("the statistics have 0 rows, expected at least 1");
    }
  }

  static void sampleVariance(long rows) {
    if (rows == 1) {
      throw new IllegalStateException(
          "the sample variance of 1 row does not exist: add rows, or use"
              + " populationRunningVar(true)");
    }
  }

  static void sumOfRows(long rows, long added) {
    require(rows <= Long.MAX_VALUE - added, "rows (%d + %d) must be < 2^63", rows, added);
  }

  /**
   * That parts read from a stream are possible: parts[r] is null, or can be a part of 2^r blocks.
   */
  static void parts(Part[] parts, int ranks, int features) {
    require(parts.length == ranks, "parts has length %d, expected %d", parts.length, ranks);
    long rows = 0;
    for (int rank = 0; rank < ranks; rank++) {
      if (parts[rank] != null) {
        String name = "parts[" + rank + "]";
        part(name, parts[rank], 1L << rank, features);
        sumOfRows(rows, parts[rank].rows());
        rows += parts[rank].rows();
      }
    }
  }

  private static void part(String name, Part part, long leastRows, int features) {
    require(part.rows() >= leastRows, "%s.rows (%d) must be >= %d", name, part.rows(), leastRows);
    vector(name + ".mu", part.mu(), features);
    vector(name + ".rest", part.rest(), features);
    vector(name + ".sq", part.sq(), features);
    for (int j = 0; j < features; j++) {
      double mu = part.mu()[j];
      double rest = part.rest()[j];
      double sq = part.sq()[j];
      require(
          mu + rest == mu,
          "%s.rest[%d] (%s) must be so small that mu + rest rounds to mu",
          name,
          j,
          rest);
      require(sq >= 0, "%s.sq[%d] (%s) must be >= 0", name, j, sq);
    }
  }

  static void graph(boolean ready, String method) {
    if (!ready) {
      throw new IllegalStateException(
          method
              + " needs the graph of a forward: there was none since the layer was made or restored,"
              + " or the last one failed");
    }
  }

  static void nonNull(Object argument, String name) {
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

  private static String counted(int n, String things) {
    return n + " " + things + (n == 1 ? "" : "s");
  }
}
