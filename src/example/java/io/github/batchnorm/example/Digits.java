package io.github.batchnorm.example;

import java.util.stream.IntStream;

/**
 * Handwritten digits as the paper's network sees them: binary images, each with its label.
 *
 * @param images the pixels, 0 or 1, shape (count, 784); bytes, since 60,000 images of doubles would
 *     take 376 MB
 * @param labels the digits, 0 to 9, shape (count)
 */
record Digits(byte[][] images, byte[] labels) {
  static final int SIDE = 28;
  static final int PIXELS = SIDE * SIDE;
  static final int CLASSES = 10;

  private static final int INK = 128; // the paper only says binary; half of the grey scale it is

  /**
   * Makes the images binary.
   *
   * @param grey values 0 to 255, shape (count, 784); not modified
   * @param labels the digits, shape (count); kept
   */
  static Digits of(byte[][] grey, byte[] labels) {
    byte[][] images = new byte[grey.length][PIXELS];
    for (int i = 0; i < grey.length; i++) {
      for (int k = 0; k < PIXELS; k++) {
        images[i][k] = (byte) ((grey[i][k] & 0xFF) >= INK ? 1 : 0);
      }
    }
    return new Digits(images, labels);
  }

  int count() {
    return labels.length;
  }

  /**
   * The images of a mini-batch, as the input of a network.
   *
   * @param which the numbers of N images
   * @return shape (N, 784): a new array
   */
  double[][] images(int[] which) {
    double[][] x = new double[which.length][PIXELS];
    for (int i = 0; i < which.length; i++) {
      byte[] image = images[which[i]];
      for (int k = 0; k < PIXELS; k++) {
        x[i][k] = image[k];
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
