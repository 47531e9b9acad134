package io.github.batchnorm.example;

import io.github.batchnorm.spark.VectorColumn;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Training with batch norm on rows that are spread over partitions: exactly as on one machine, and
 * by the usual shortcut. See the README beside the pom.
 */
@Command(
    name = "spark-training",
    description = {
      "Trains a small network with batch norm on MNIST digits that are spread over partitions, and",
      "prints its losses beside those of one machine, and beside those of the usual shortcut, where",
      "each partition normalizes by the statistics of its own rows."
    },
    usageHelpWidth = 120)
public final class SparkTraining extends SparkProgram {
  private static final int UNITS = 16;
  private static final long SEED = 1;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "20",
      description = "steps of gradient descent; default: ${DEFAULT-VALUE}")
  private int steps;

  @Option(
      names = "--rows",
      paramLabel = "N",
      defaultValue = "600",
      description = "digits in the one mini-batch, up to 8000; default: ${DEFAULT-VALUE}")
  private int rows;

  @Option(
      names = "--sorted",
      description = "each partition has the digits of few classes, not of all")
  private boolean sorted;

  private SparkTraining() {}

  /** Runs the program; see {@code --help}. */
  public static void main(String[] args) {
    main(new SparkTraining(), args);
  }

  static SparkTraining create() {
    return new SparkTraining();
  }

  @Override
  void run() throws DataException, IOException {
    checkPartitions();
    Digits digits = Mnist.bundled().train();
    if (steps < 1) {
      throw bad("--steps (" + steps + ") must be at least 1");
    }
    if (rows < 2 || rows > digits.count()) {
      throw bad("--rows (%d) must be from 2 to %d".formatted(rows, digits.count()));
    }
    try (SparkSession spark = start(masters().get(0))) {
      Dataset<Row> data = DigitRows.of(spark, digits, rows, partitions);
      train(sorted ? data.repartitionByRange(partitions, data.col(DigitRows.LABEL)) : data);
    }
  }

  private void train(Dataset<Row> data) {
    new VectorColumn(DigitRows.FEATURES).statistics(data); // refuses rows that are invalid
    JavaRDD<PartedTraining.Part> parts = parts(data).cache();
    PartedTraining.Part all = parts.collect().stream().reduce(SparkTraining::concat).orElseThrow();
    print("%,d rows in %d partitions, %d steps of training", rows, parts.getNumPartitions(), steps);
    print("step   one machine         in parts            difference  shortcut");
    PartedTraining.Network one =
        PartedTraining.Network.random(Digits.PIXELS, UNITS, Digits.CLASSES, new Random(SEED));
    PartedTraining.Network exact = one;
    PartedTraining.Network shortcut = one;
    double rate = 1;
    double seconds = 0;
    for (int step = 1; step <= steps; step++) {
      PartedTraining.Network ofOne = PartedTraining.onOneMachine(one, all, rows);
      long start = System.nanoTime();
      PartedTraining.Network ofParts = PartedTraining.exact(exact, parts);
      seconds += secondsSince(start);
      PartedTraining.Network ofEach = PartedTraining.byStatisticsOfEachPart(shortcut, parts, rows);
      print(
          "%4d   %.16f  %.16f  %.1e     %.4f",
          step,
          ofOne.loss(),
          ofParts.loss(),
          Math.abs(ofParts.loss() - ofOne.loss()),
          ofEach.loss());
      one = one.plus(-rate, ofOne);
      exact = exact.plus(-rate, ofParts);
      shortcut = shortcut.plus(-rate, ofEach);
    }
    print("%.0f ms for a step in parts", seconds / steps * 1e3);
  }

  /** The rows of each partition, with grey values from 0 to 1. */
  static JavaRDD<PartedTraining.Part> parts(Dataset<Row> data) {
    return data.select(DigitRows.FEATURES, DigitRows.LABEL)
        .toJavaRDD()
        .mapPartitions(rows -> List.of(part(rows)).iterator());
  }

  private static PartedTraining.Part part(Iterator<Row> rows) {
    List<double[]> x = new ArrayList<>();
    List<Integer> labels = new ArrayList<>();
    rows.forEachRemaining(
        row -> {
          // by position: Spark may hand over the rows as they were made, without a schema
          double[] image = row.<Vector>getAs(0).toArray().clone();
          for (int k = 0; k < image.length; k++) {
            image[k] /= 255;
          }
          x.add(image);
          labels.add(row.<Number>getAs(1).intValue());
        });
    return new PartedTraining.Part(
        x.toArray(double[][]::new), labels.stream().mapToInt(Integer::intValue).toArray());
  }

  /** The rows of two parts. */
  static PartedTraining.Part concat(PartedTraining.Part a, PartedTraining.Part b) {
    List<double[]> x = new ArrayList<>(List.of(a.x()));
    x.addAll(List.of(b.x()));
    int[] labels = Arrays.copyOf(a.labels(), x.size());
    System.arraycopy(b.labels(), 0, labels, a.rows(), b.rows());
    return new PartedTraining.Part(x.toArray(double[][]::new), labels);
  }
}
