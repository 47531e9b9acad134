package io.github.batchnorm.example;

import java.io.Serializable;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Handwritten digits, each with its label.
 *
 * @param pixels grey values 0 to 255, shape (count, 784); bytes, since 60,000 images of doubles
 *     would take 376 MB
 * @param labels the digits, 0 to 9, shape (count)
 */
record Digits(byte[][] pixels, byte[] labels) implements Serializable {
  static final int SIDE = 28;
  static final int PIXELS = SIDE * SIDE;
  static final int CLASSES = 10;

  private static final int INK = 128; // the paper only says binary; half of the grey scale it is

  int count() {
    return labels.length;
  }

  /**
   * The images of a mini-batch as the paper's network sees them: binary, 0 or 1.
   *
   * @param which the numbers of N images
   * @return shape (N, 784): a new array
   */
  double[][] images(int[] which) {
    return matrix(which, grey -> grey >= INK ? 1 : 0);
  }

  /**
   * The images of a mini-batch as they are: grey values 0 to 255.
   *
   * @param which the numbers of N images
   * @return shape (N, 784): a new array
   */
  double[][] greyImages(int[] which) {
    return matrix(which, grey -> grey);
  }

  private double[][] matrix(int[] which, IntToDoubleFunction entry) {
    double[][] x = new double[which.length][PIXELS];
    for (int i = 0; i < which.length; i++) {
      byte[] image = pixels[which[i]];
      for (int k = 0; k < PIXELS; k++) {
        x[i][k] = entry.applyAsDouble(image[k] & 0xFF);
      }
    }
    return x;
  }

  /**
   * The labels of a mini-batch.
   *
   * @param which the numbers of N images
   * @return shape (N): a new array
   */
  int[] labels(int[] which) {
    return IntStream.of(which).map(i -> labels[i]).toArray();
  }
}
