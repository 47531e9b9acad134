package io.github.batchnorm;

import static org.assertj.core.api.Assertions.assertThatObject;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.function.DoubleBinaryOperator;
import java.util.function.IntToDoubleFunction;

/** Matrices for the tests: made from a seed, measured, compared. */
final class TestData {
  private TestData() {}

  /** Columns with a mean and a spread of their own, so that both matter. */
  static double[][] input(Random random, int n, int d) {
    double[][] x = new double[n][d];
    for (int j = 0; j < d; j++) {
      double mean = 2 * random.nextGaussian();
      double spread = 0.5 + 2 * random.nextDouble();
      for (int i = 0; i < n; i++) {
        x[i][j] = mean + spread * random.nextGaussian();
      }
    }
    return x;
  }

  static double[][] gaussian(Random random, int n, int d) {
    double[][] values = new double[n][];
    Arrays.setAll(values, i -> gaussian(random, d));
    return values;
  }

  static double[] gaussian(Random random, int d) {
    double[] values = new double[d];
    Arrays.setAll(values, j -> random.nextGaussian());
    return values;
  }

  /** n times the same row. */
  static double[][] rows(int n, double[] row) {
    double[][] rows = new double[n][];
    Arrays.fill(rows, row);
    return rows;
  }

  static double[][] filled(int n, int d, double value) {
    double[][] values = new double[n][d];
    for (double[] row : values) {
      Arrays.fill(row, value);
    }
    return values;
  }

  /** Overwrites every value with NaN. */
  static void spoil(double[]... rows) {
    for (double[] row : rows) {
      Arrays.fill(row, Double.NaN);
    }
  }

  /** The same rows, but for one. */
  static double[][] with(double[][] matrix, int i, double[] row) {
    double[][] changed = matrix.clone();
    changed[i] = row;
    return changed;
  }

  /** The same rows, but for one, which is a copy with another value. */
  static double[][] with(double[][] matrix, int i, int j, double value) {
    return with(matrix, i, with(matrix[i], j, value));
  }

  /** A copy with another value. */
  static double[] with(double[] row, int j, double value) {
    double[] changed = row.clone();
    changed[j] = value;
    return changed;
  }

  /** A copy with another column. */
  static double[][] withColumn(double[][] matrix, int j, IntToDoubleFunction value) {
    double[][] changed = copy(matrix);
    for (int i = 0; i < changed.length; i++) {
      changed[i][j] = value.applyAsDouble(i);
    }
    return changed;
  }

  static double[][] copy(double[][] values) {
    return Arrays.stream(values).map(double[]::clone).toArray(double[][]::new);
  }

  /** A new matrix, value by value. */
  static double[][] combine(double[][] a, double[][] b, DoubleBinaryOperator operator) {
    double[][] result = new double[a.length][];
    Arrays.setAll(result, i -> combine(a[i], b[i], operator));
    return result;
  }

  /** A new vector, value by value. */
  static double[] combine(double[] a, double[] b, DoubleBinaryOperator operator) {
    double[] result = new double[a.length];
    Arrays.setAll(result, j -> operator.applyAsDouble(a[j], b[j]));
    return result;
  }

  static double[] column(double[][] values, int j) {
    return Arrays.stream(values).mapToDouble(row -> row[j]).toArray();
  }

  static double largest(double[]... values) {
    return Arrays.stream(values).flatMapToDouble(Arrays::stream).map(Math::abs).max().orElse(0);
  }

  /**
   * Every value within {@code tolerance} times {@code scale}; where the scale is 0, within 1e-300.
   */
  static void assertClose(Object actual, Object expected, double tolerance, double scale) {
    double distance = Math.max(tolerance * scale, 1e-300);
    // not DoubleComparator: that one takes NaN for equal to anything within the distance of NaN
    Comparator<Double> close = (a, b) -> Math.abs(a - b) <= distance ? 0 : 1;
    assertThatObject(actual)
        .usingRecursiveComparison()
        .withComparatorForType(close, Double.class)
        .isEqualTo(expected);
  }

  /** Every value within {@code tolerance} of the largest magnitude in {@code expected}. */
  static void assertClose(double[][] actual, double[][] expected, double tolerance) {
    assertClose(actual, expected, tolerance, largest(expected));
  }

  /** Every value within {@code tolerance} of the largest magnitude in {@code expected}. */
  static void assertClose(double[] actual, double[] expected, double tolerance) {
    assertClose(actual, expected, tolerance, largest(expected));
  }
}
