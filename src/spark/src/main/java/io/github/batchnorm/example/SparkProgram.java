package io.github.batchnorm.example;

import java.util.List;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine.Option;

/** What the programs on Spark have in common: where it runs, and in how many parts. */
abstract class SparkProgram extends Program {
  private static final int MAX_PARTITIONS = 10_000;

  @Option(
      names = "--master",
      paramLabel = "URL",
      description = {
        "where Spark runs, such as local[4] or spark://HOST:7077; the program on digits takes several,",
        "to compare them; default: what spark-submit says, else local[1] and then local[2]"
      })
  private List<String> masters;

  @Option(
      names = "--partitions",
      paramLabel = "N",
      defaultValue = "8",
      description = "parts that Spark shares out to its workers; default: ${DEFAULT-VALUE}")
  int partitions;

  final void checkPartitions() {
    if (partitions < 1 || partitions > MAX_PARTITIONS) {
      throw bad("--partitions (%d) must be from 1 to %d".formatted(partitions, MAX_PARTITIONS));
    }
  }

  final List<String> masters() {
    if (masters != null) {
      return masters;
    }
    String submitted = System.getProperty("spark.master"); // spark-submit
    return submitted != null ? List.of(submitted) : List.of("local[1]", "local[2]");
  }

  final SparkSession start(String master) {
    try {
      return SparkSession.builder()
          .appName("batchnorm")
          .master(master)
          .config("spark.ui.showConsoleProgress", System.console() != null)
          .getOrCreate();
    } catch (Exception e) { // Scala declares none, not even those that Java would have to
      String why = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      throw bad("--master (" + master + ") cannot be used: " + why);
    }
  }

  static double secondsSince(long start) {
    return (System.nanoTime() - start) * 1e-9;
  }
}
