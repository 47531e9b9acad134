package io.github.batchnorm.example;

import static org.apache.spark.sql.functions.col;

import io.github.batchnorm.BatchNormLayer;
import io.github.batchnorm.ColumnStatistics;
import io.github.batchnorm.spark.VectorColumn;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.spark.api.java.function.FilterFunction;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * A layer and a network that were trained on one machine, at work on many: MNIST digits on Apache
 * Spark. See the README beside the pom.
 */
@Command(
    name = "spark-digits",
    description = {
      "Standardizes MNIST digits with statistics from Spark, trains a network on the driver,",
      "classifies the test digits on Spark's workers, and compares a sample with one machine."
    },
    usageHelpWidth = 120)
public final class SparkDigits extends SparkProgram {
  private static final String SCORES = "scores";
  private static final double LEARNING_RATE = 0.1;
  private static final long SEED = 1;
  private static final int REPEATS = 20; // of the test digits, to measure the speed
  private static final int SAMPLE = 2000; // images that are compared with one machine

  /**
   * A tenth of the grey scale, squared. A pixel that is constant in training has the variance 0; in
   * other data it may not be constant. With this ε no pixel is standardized to more than 10.
   */
  private static final double EPSILON = 25.5 * 25.5;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = {
        "folder with the four MNIST files (train-images-idx3-ubyte and so on, plain or gzip);",
        "default: the 8,000 + 2,000 digits that come with this program"
      })
  private Path data;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "1000",
      description = "mini-batches to train the network on; default: ${DEFAULT-VALUE}")
  private int steps;

  private SparkDigits() {}

  /** Runs the program; see {@code --help}. */
  public static void main(String[] args) {
    main(new SparkDigits(), args);
  }

  static SparkDigits create() {
    return new SparkDigits();
  }

  @Override
  void run() throws DataException, IOException {
    checkPartitions();
    if (steps < 1) {
      throw bad("--steps (" + steps + ") must be at least 1");
    }
    run(data == null ? Mnist.bundled() : Mnist.from(data));
  }

  private void run(Mnist digits) throws IOException {
    List<String> masters = masters();
    Classifier classifier;
    double[][] expected;
    try (SparkSession spark = start(masters.get(0))) {
      print(
          "%,d training and %,d test images, %d partitions, %,d steps of training",
          digits.train().count(), digits.test().count(), partitions, steps);
      classifier = train(digits.train(), standardizing(spark, digits.train()));
      expected = scoreHere(classifier, digits.test());
      score(spark, classifier, digits.test(), expected);
    }
    for (String master : masters.subList(1, masters.size())) {
      try (SparkSession spark = start(master)) {
        score(spark, classifier, digits.test(), expected);
      }
    }
  }

  /** The layer whose statistics Spark computes; those of a sample are compared with one machine. */
  private BatchNormLayer standardizing(SparkSession spark, Digits digits) {
    long start = System.nanoTime();
    ColumnStatistics all = statistics(spark, digits, digits.count());
    double seconds = secondsSince(start);
    int sample = Math.min(SAMPLE, digits.count());
    print(
        "statistics of %,d images by Spark: %.1f s; of %,d images they differ from one machine's by %.1e",
        all.rows(),
        seconds,
        sample,
        largestDifference(
            statistics(spark, digits, sample),
            new ColumnStatistics(Digits.PIXELS)
                .add(digits.greyImages(IntStream.range(0, sample).toArray()))));
    return BatchNormLayer.builder(Digits.PIXELS).epsilon(EPSILON).runningStatistics(all).build();
  }

  private ColumnStatistics statistics(SparkSession spark, Digits digits, int rows) {
    return new VectorColumn(DigitRows.FEATURES)
        .statistics(DigitRows.of(spark, digits, rows, partitions))
        .values();
  }

  /** The largest difference of a mean or a variance, relative to the larger one. */
  static double largestDifference(ColumnStatistics a, ColumnStatistics b) {
    return Math.max(largestDifference(a.mean(), b.mean()), largestDifference(a.var(), b.var()));
  }

  private static double largestDifference(double[] a, double[] b) {
    return IntStream.range(0, a.length)
        .filter(k -> a[k] != b[k])
        .mapToDouble(k -> Math.abs(a[k] - b[k]) / Math.max(Math.abs(a[k]), Math.abs(b[k])))
        .max()
        .orElse(0);
  }

  private Classifier train(Digits digits, BatchNormLayer standardizing) {
    Random random = new Random(SEED);
    Classifier classifier = new Classifier(standardizing, new Network(true, random));
    MiniBatches batches = new MiniBatches(digits.count(), Training.BATCH_SIZE, random);
    try (Progress progress = Progress.start("training on the driver", steps)) {
      for (int step = 1; step <= steps; step++) {
        int[] batch = batches.next();
        classifier.train(digits.greyImages(batch), digits.labels(batch), LEARNING_RATE);
        progress.step(step);
      }
    }
    return classifier;
  }

  private double[][] scoreHere(Classifier classifier, Digits digits) {
    int[] sample = IntStream.range(0, Math.min(SAMPLE, digits.count())).toArray();
    double[][] scores = classifier.scores(digits.greyImages(sample));
    int[] labels = digits.labels(sample);
    long right =
        IntStream.of(sample)
            .filter(i -> SoftmaxCrossEntropy.indexOfMax(scores[i]) == labels[i])
            .count();
    print(
        "one machine: accuracy %.4f of %,d images", (double) right / sample.length, sample.length);
    return scores;
  }

  /** Scores a sample to compare it, and the digits many times over to measure the speed. */
  private void score(
      SparkSession spark, Classifier classifier, Digits digits, double[][] expected) {
    List<Row> sample = scores(spark, classifier, digits, expected.length).collectAsList();
    long start = System.nanoTime();
    long many = (long) REPEATS * digits.count();
    long right =
        scores(spark, classifier, digits, many)
            .filter((FilterFunction<Row>) SparkDigits::isRight)
            .count();
    print(
        "%s: accuracy %.4f, %d of %,d scores differ from those of one machine, %,.0f rows per second",
        spark.sparkContext().master(),
        (double) right / many,
        countDifferent(sample, expected),
        sample.size() * Digits.CLASSES,
        many / secondsSince(start));
  }

  private Dataset<Row> scores(SparkSession spark, Classifier classifier, Digits digits, long rows) {
    return new VectorColumn(DigitRows.FEATURES)
        .map(
            DigitRows.of(spark, digits, rows, partitions),
            SCORES,
            new Classifier.Scores(classifier.state()))
        .select(col(SCORES), col(DigitRows.LABEL));
  }

  /** Whether the highest score of a row is at its label. */
  private static boolean isRight(Row scored) {
    double[] scores = scored.<Vector>getAs(SCORES).toArray();
    return SoftmaxCrossEntropy.indexOfMax(scores) == DigitRows.label(scored);
  }

  private static long countDifferent(List<Row> rows, double[][] expected) {
    return IntStream.range(0, expected.length)
        .mapToLong(
            i -> {
              double[] scores = rows.get(i).<Vector>getAs(SCORES).toArray();
              return IntStream.range(0, Digits.CLASSES)
                  .filter(j -> Double.compare(scores[j], expected[i][j]) != 0)
                  .count();
            })
        .sum();
  }
}
