package io.github.batchnorm.example;

import io.github.batchnorm.BatchNormLayer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.apache.spark.api.java.function.FilterFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * A layer and a network that were trained on one machine, at work on many: MNIST digits on Apache
 * Spark.
 *
 * <pre>{@code
 * mvn -q -f src/spark compile exec:java
 * mvn -q -f src/spark compile exec:java -Dexec.args="--master local[4] --partitions 16"
 * }</pre>
 *
 * <p>The exit code is 2 for a bad option or data file.
 */
@Command(
    name = "spark-digits",
    description = {
      "Standardizes MNIST digits with statistics from Spark, trains a network on the driver,",
      "classifies the test digits on Spark's workers and compares with one machine."
    },
    sortOptions = false,
    usageHelpWidth = 120)
public final class SparkDigits implements Callable<Integer> {
  private static final int MAX_PARTITIONS = 10_000;
  private static final double LEARNING_RATE = 0.1;
  private static final long SEED = 1;
  private static final int REPEATS = 20; // of the test digits, to measure the speed

  /**
   * A tenth of the grey scale, squared. A pixel that is constant in training has the variance 0; in
   * other data it may not be constant. With this ε no pixel is standardized to more than 10.
   */
  private static final double EPSILON = 25.5 * 25.5;

  @Option(
      names = "--master",
      paramLabel = "URL",
      description = {
        "where Spark runs, such as local[4] or spark://HOST:7077; may be given several times, to",
        "compare; default: what spark-submit says, else local[1] and then local[2]"
      })
  private List<String> masters;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = {
        "folder with the four MNIST files (train-images-idx3-ubyte and so on, plain or gzip);",
        "default: the 8,000 + 2,000 digits that come with this program"
      })
  private Path data;

  @Option(
      names = "--partitions",
      paramLabel = "N",
      defaultValue = "8",
      description = "parts that Spark shares out to its workers; default: ${DEFAULT-VALUE}")
  private int partitions;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "1000",
      description = "mini-batches to train the network on; default: ${DEFAULT-VALUE}")
  private int steps;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "print this and stop")
  private boolean help;

  @Spec private CommandSpec spec;

  private SparkDigits() {}

  /** Runs the program; see {@code --help}. */
  public static void main(String[] args) {
    int exitCode = commandLine().execute(args);
    if (exitCode != 0) {
      System.exit(exitCode); // the only way to tell Maven
    }
  }

  static CommandLine commandLine() {
    return new CommandLine(new SparkDigits()).setParameterExceptionHandler(SparkDigits::explain);
  }

  @Override
  public Integer call() throws IOException {
    checkOptions();
    try {
      run(data == null ? Mnist.bundled() : Mnist.from(data));
      return 0;
    } catch (DataException e) {
      spec.commandLine().getErr().println(e.getMessage());
      return 2;
    }
  }

  private void checkOptions() {
    if (partitions < 1 || partitions > MAX_PARTITIONS) {
      throw bad("--partitions (%d) must be from 1 to %d".formatted(partitions, MAX_PARTITIONS));
    }
    if (steps < 1) {
      throw bad("--steps (" + steps + ") must be at least 1");
    }
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

  private List<String> masters() {
    if (masters != null) {
      return masters;
    }
    String submitted = System.getProperty("spark.master"); // spark-submit
    return submitted != null ? List.of(submitted) : List.of("local[1]", "local[2]");
  }

  private SparkSession start(String master) {
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

  /** The layer whose statistics Spark computes, compared with exact ones. */
  private BatchNormLayer standardizing(SparkSession spark, Digits digits) {
    long start = System.nanoTime();
    ColumnStatistics statistics =
        ColumnStatistics.bySpark(DigitRows.of(spark, digits, digits.count(), partitions));
    print(
        "statistics of %,d images by Spark: %.1f s, largest relative difference from exact ones %.1e",
        statistics.rows(),
        secondsSince(start),
        statistics.largestDifference(ColumnStatistics.exact(digits)));
    return statistics.standardizing(EPSILON);
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
    int[] all = IntStream.range(0, digits.count()).toArray();
    double[][] scores = classifier.scores(digits.greyImages(all));
    int[] labels = digits.labels(all);
    long right =
        IntStream.of(all)
            .filter(i -> SoftmaxCrossEntropy.indexOfMax(scores[i]) == labels[i])
            .count();
    print("one machine: accuracy %.4f", (double) right / all.length);
    return scores;
  }

  /** Scores the digits once to compare them, and many times over to measure the speed. */
  private void score(
      SparkSession spark, Classifier classifier, Digits digits, double[][] expected) {
    Classifier.State state = classifier.state();
    List<Row> rows =
        Scoring.scores(DigitRows.of(spark, digits, digits.count(), partitions), state)
            .collectAsList();
    long start = System.nanoTime();
    long many = (long) REPEATS * digits.count();
    long right =
        Scoring.scores(DigitRows.of(spark, digits, many, partitions), state)
            .filter((FilterFunction<Row>) Scoring::isRight)
            .count();
    print(
        "%s: accuracy %.4f, %d of %,d scores differ from those of one machine, %,.0f rows per second",
        spark.sparkContext().master(),
        (double) right / many,
        countDifferent(rows, expected),
        rows.size() * Digits.CLASSES,
        many / secondsSince(start));
  }

  private static long countDifferent(List<Row> rows, double[][] expected) {
    long different = 0;
    for (int i = 0; i < expected.length; i++) {
      double[] scores = Scoring.scores(rows.get(i));
      for (int j = 0; j < Digits.CLASSES; j++) {
        if (Double.compare(scores[j], expected[i][j]) != 0) {
          different++;
        }
      }
    }
    return different;
  }

  private static double secondsSince(long start) {
    return (System.nanoTime() - start) * 1e-9;
  }

  private void print(String format, Object... values) {
    System.out.printf(Locale.ROOT, format + "%n", values);
  }

  /** One line; the default would print all of the help after it. */
  private static int explain(ParameterException e, String[] args) {
    e.getCommandLine().getErr().println(e.getMessage() + " (see --help)");
    return 2;
  }

  private ParameterException bad(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
