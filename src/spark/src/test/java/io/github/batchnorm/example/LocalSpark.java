package io.github.batchnorm.example;

import org.apache.spark.sql.SparkSession;

/** Spark in the process of the tests. */
final class LocalSpark {
  private LocalSpark() {}

  /** Starts two workers that repeat a task which failed, up to three attempts in all. */
  static SparkSession start() {
    return start("local[2,3]");
  }

  static SparkSession start(String master) {
    return SparkSession.builder()
        .appName("test")
        .master(master)
        .config("spark.ui.enabled", false)
        .getOrCreate();
  }
}
