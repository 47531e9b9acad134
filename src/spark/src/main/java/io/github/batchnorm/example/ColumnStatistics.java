package io.github.batchnorm.example;

import static org.apache.spark.sql.functions.col;

import io.github.batchnorm.BatchNormLayer;
import java.math.BigDecimal;
import java.math.MathContext;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.stat.Summarizer;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * Mean and variance of each column of a data set: what a layer needs to standardize it.
 *
 * <p>These are the population statistics of the paper's Algorithm 2, lines 7 to 11, with all rows
 * as the one mini-batch: its unbiased estimate m / (m - 1) * σ² is the sample variance.
 *
 * @param rows N, the number of rows
 * @param mean shape (D)
 * @param var the sample variance (divides by N - 1), shape (D)
 */
record ColumnStatistics(long rows, double[] mean, double[] var) {

  /**
   * Has Spark's workers compute the statistics, each over its partitions. Where one partition ends
   * and which is merged first may change their last digits.
   *
   * @param rows with the column {@link DigitRows#FEATURES}
   * @throws IllegalArgumentException if there are fewer than 2 rows
   */
  static ColumnStatistics bySpark(Dataset<Row> rows) {
    int some = rows.takeAsList(2).size();
    if (some < 2) {
      throw new IllegalArgumentException("rows (" + some + ") must be at least 2");
    }
    Row summary =
        rows.select(
                Summarizer.metrics("count", "mean", "variance")
                    .summary(col(DigitRows.FEATURES))
                    .as("summary"))
            .select("summary.*")
            .first();
    return new ColumnStatistics(
        summary.<Long>getAs("count"),
        summary.<Vector>getAs("mean").toArray(),
        summary.<Vector>getAs("variance").toArray());
  }

  /**
   * The exact statistics, each rounded once: sums of pixels and of their squares are whole numbers,
   * and those of {@link IdxFile}'s million images fit into a long.
   *
   * @param digits at least 2
   */
  static ColumnStatistics exact(Digits digits) {
    long[] sum = new long[Digits.PIXELS];
    long[] sumOfSquares = new long[Digits.PIXELS];
    for (byte[] image : digits.pixels()) {
      for (int k = 0; k < Digits.PIXELS; k++) {
        int grey = image[k] & 0xFF;
        sum[k] += grey;
        sumOfSquares[k] += grey * grey;
      }
    }
    long n = digits.count();
    double[] mean = new double[Digits.PIXELS];
    double[] var = new double[Digits.PIXELS];
    for (int k = 0; k < Digits.PIXELS; k++) {
      mean[k] = quotient(sum[k], n);
      var[k] = quotient(n * sumOfSquares[k] - sum[k] * sum[k], n * (n - 1));
    }
    return new ColumnStatistics(n, mean, var);
  }

  private static double quotient(long a, long b) {
    return new BigDecimal(a).divide(new BigDecimal(b), MathContext.DECIMAL128).doubleValue();
  }

  /**
   * The largest difference of a mean or variance from the exact one, relative to that one; infinite
   * if only the exact one is 0.
   */
  double largestDifference(ColumnStatistics exact) {
    return Math.max(largestDifference(mean, exact.mean), largestDifference(var, exact.var));
  }

  private static double largestDifference(double[] values, double[] exact) {
    double largest = 0;
    for (int k = 0; k < exact.length; k++) {
      if (values[k] != exact[k]) {
        largest = Math.max(largest, Math.abs(values[k] - exact[k]) / Math.abs(exact[k]));
      }
    }
    return largest;
  }

  /**
   * A layer that standardizes the columns: {@code infer} gives {@code (x - mean) / √(var + ε)}.
   *
   * @param epsilon ε, in the units of var. A column that is constant has the variance 0; its
   *     deviations in other data are divided by √ε.
   */
  BatchNormLayer standardizing(double epsilon) {
    return BatchNormLayer.builder(mean.length)
        .epsilon(epsilon)
        .runningStatistics(mean, var, 1)
        .build();
  }
}
