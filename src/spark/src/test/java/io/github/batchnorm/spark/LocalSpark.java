package io.github.batchnorm.spark;

import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;

/** Spark in the process of the tests. */
public final class LocalSpark {
  private LocalSpark() {}

  /** Starts two workers that repeat a task which failed, up to three attempts in all. */
  public static SparkSession start() {
    return SparkSession.builder()
        .appName("test")
        .master("local[2,3]")
        .config("spark.ui.enabled", false)
        .config("spark.sql.shuffle.partitions", 4)
        .getOrCreate();
  }

  /** A data set of rows in their order, in so many partitions. */
  public static Dataset<Row> rows(
      SparkSession spark, List<Row> rows, StructType schema, int partitions) {
    JavaSparkContext context = new JavaSparkContext(spark.sparkContext());
    return spark.createDataFrame(context.parallelize(rows, partitions), schema);
  }
}
