package io.github.batchnorm.example;

import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Digits as a data set of Spark, with the columns of its MLlib: {@code features}, a vector of the
 * 784 grey values 0 to 255, and {@code label}, a double.
 *
 * <p>They fit one machine, so the driver reads them and broadcasts them. What does not fit, {@code
 * spark.read()} reads on the workers; all else stays the same.
 */
final class DigitRows {
  static final String FEATURES = "features";
  static final String LABEL = "label";

  private static final StructType SCHEMA =
      new StructType().add(FEATURES, SQLDataTypes.VectorType()).add(LABEL, DataTypes.DoubleType);

  private DigitRows() {}

  /**
   * A data set of as many rows as asked for: the digits in their order, again from the first one
   * after the last one.
   *
   * @param rows may be fewer than the digits, or more
   * @param partitions may be more than the rows; some are empty then
   */
  static Dataset<Row> of(SparkSession spark, Digits digits, long rows, int partitions) {
    Broadcast<Digits> all = new JavaSparkContext(spark.sparkContext()).broadcast(digits);
    return spark
        .range(0, rows, 1, partitions)
        .map(
            (MapFunction<Long, Row>) i -> row(all.value(), (int) (i % all.value().count())),
            Encoders.row(SCHEMA));
  }

  private static Row row(Digits digits, int i) {
    int[] which = {i};
    return RowFactory.create(
        Vectors.dense(digits.greyImages(which)[0]), (double) digits.labels(which)[0]);
  }

  /** The label of a row, a number of any type. */
  static int label(Row row) {
    return row.<Number>getAs(LABEL).intValue();
  }
}
