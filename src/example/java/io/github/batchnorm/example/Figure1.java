package io.github.batchnorm.example;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Reproduces Figure 1 of S. Ioffe, C. Szegedy, "Batch Normalization: Accelerating Deep Network
 * Training by Reducing Internal Covariate Shift", 2015, arXiv:1502.03167, on MNIST digits.
 *
 * <pre>{@code
 * mvn -q -f src/example
 * mvn -q -f src/example -Dexec.args="--data DIR --steps 50000"
 * }</pre>
 *
 * <p>Trains the paper's network without and with batch norm, prints the test accuracy of both and
 * writes target/figure1.svg and target/figure1.png. Ctrl-C ends the training: the table then has
 * what has been measured so far, and no figure is written.
 */
@Command(
    name = "figure1",
    description =
        "Trains the MNIST network of Ioffe and Szegedy 2015 without and with batch norm, prints the"
            + " test accuracy of both and writes target/figure1.svg and target/figure1.png.")
final class Figure1 extends Program {
  private static final double MAX_LEARNING_RATE = 10;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "folder with the four MNIST files (train-images-idx3-ubyte and so on, or, as Kaggle names"
              + " them, train-images.idx3-ubyte and so on; plain or gzip); default: the 8,000 +"
              + " 2,000 digits that come with this program")
  private Path data;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "10000",
      description =
          "mini-batches to train each network on; default: ${DEFAULT-VALUE}, paper: 50000")
  private int steps;

  @Option(
      names = "--learning-rate",
      paramLabel = "RATE",
      defaultValue = "0.1",
      description = "factor of the gradient in each step; default: ${DEFAULT-VALUE}")
  private double learningRate;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "fixes the first weights and the mini-batches; default: ${DEFAULT-VALUE}")
  private long seed;

  Figure1() {}

  /** Runs the program; see {@code --help}. */
  public static void main(String[] args) {
    System.setProperty("java.awt.headless", "true");
    main(new Figure1(), args);
  }

  @Override
  void run() throws DataException, IOException {
    checkOptions();
    try (Interruption interruption = Interruption.watch()) {
      OutputFile.makeFolder(); // fails before the training, not after it
      Mnist digits = data == null ? Mnist.bundled() : Mnist.from(data);
      run(digits, new Training(steps, learningRate, seed), interruption);
    }
  }

  private void checkOptions() {
    if (steps < 1) {
      throw bad("--steps (" + steps + ") must be at least 1");
    }
    if (!(learningRate > 0 && learningRate <= MAX_LEARNING_RATE)) {
      throw bad("--learning-rate (%s) must be > 0 and at most 10".formatted(learningRate));
    }
  }

  private void run(Mnist digits, Training training, Interruption interruption) throws IOException {
    String settings =
        String.format(
            Locale.ROOT,
            "%,d training and %,d test images, mini-batches of %d, learning rate %s, seed %d",
            digits.train().count(),
            digits.test().count(),
            Training.BATCH_SIZE,
            training.learningRate(),
            training.seed());
    print("%s", settings);
    TimeLeft left = new TimeLeft(2L * training.steps(), "left for both");
    List<Measurement> without = train(training, false, digits, left, interruption);
    List<Measurement> with =
        interruption.requested() ? List.of() : train(training, true, digits, left, interruption);
    AccuracyTable.print(new Schedule(training.steps()), without, with, System.out);
    if (interruption.requested()) {
      print("%nInterrupted: no figure is written");
      return;
    }
    Figure figure = new Figure(without, with, settings);
    OutputFile.write(OutputFile.FOLDER.resolve("figure1.svg"), figure.svg());
    OutputFile.write(OutputFile.FOLDER.resolve("figure1.png"), figure.png());
    print("%nWrote %1$s/figure1.svg and %1$s/figure1.png", OutputFile.FOLDER);
  }

  private static List<Measurement> train(
      Training training,
      boolean batchNorm,
      Mnist digits,
      TimeLeft left,
      Interruption interruption) {
    String network = batchNorm ? "with batch norm" : "without batch norm";
    try (Progress progress = Progress.start(network, training.steps(), left)) {
      return training.run(batchNorm, digits, progress, interruption::requested);
    }
  }
}
