package io.github.batchnorm.example;

import io.github.batchnorm.BatchNormLayer;
import io.github.batchnorm.ColumnStatistics;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;

/** What several tests need. */
final class TestDigits {
  static final Mnist MNIST = load();

  private TestDigits() {}

  private static Mnist load() {
    try {
      return Mnist.bundled();
    } catch (DataException e) {
      throw new AssertionError(e);
    }
  }

  /** The first test digits. */
  static Digits first(int count) {
    return new Digits(
        Arrays.copyOf(MNIST.test().pixels(), count), Arrays.copyOf(MNIST.test().labels(), count));
  }

  static double[][] images(Digits digits) {
    return digits.greyImages(IntStream.range(0, digits.count()).toArray());
  }

  /** A few steps of training, seed 7: so that no parameter is what it starts with. */
  static Classifier trainedClassifier() {
    Random random = new Random(7);
    Digits digits = MNIST.train();
    Classifier classifier =
        new Classifier(
            BatchNormLayer.builder(Digits.PIXELS)
                .epsilon(25.5 * 25.5)
                .runningStatistics(new ColumnStatistics(Digits.PIXELS).add(images(digits)))
                .build(),
            new Network(true, random));
    MiniBatches batches = new MiniBatches(digits.count(), 60, random);
    for (int step = 0; step < 5; step++) {
      train(classifier, batches.next());
    }
    return classifier;
  }

  static void train(Classifier classifier, int[] batch) {
    Digits digits = MNIST.train();
    classifier.train(digits.greyImages(batch), digits.labels(batch), 0.1);
  }
}
