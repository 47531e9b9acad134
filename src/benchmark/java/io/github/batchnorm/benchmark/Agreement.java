package io.github.batchnorm.benchmark;

import io.github.batchnorm.BatchNormGradients;

/** Compares the results of two contenders: a contender that is wrong is not measured. */
final class Agreement {
  /** Of the largest magnitude: a different order of additions passes, a different formula fails. */
  private static final double TOLERANCE = 1e-10;

  private Agreement() {}

  /**
   * Compares the results of the last forward and backward.
   *
   * @throws IllegalStateException if any differ
   */
  static void check(String name, Contender actual, Contender expected) {
    check(name + " out", actual.out(), expected.out());
    BatchNormGradients found = actual.gradients();
    BatchNormGradients right = expected.gradients();
    check(name + " dx", found.dx(), right.dx());
    check(name + " dgamma", found.dgamma(), right.dgamma());
    check(name + " dbeta", found.dbeta(), right.dbeta());
  }

  private static void check(String name, double[] actual, double[] expected) {
    check(name, new double[][] {actual}, new double[][] {expected});
  }

  /**
   * Compares two matrices.
   *
   * @throws IllegalStateException if they differ
   */
  static void check(String name, double[][] actual, double[][] expected) {
    double difference = 0;
    double largest = 0;
    for (int i = 0; i < expected.length; i++) {
      for (int j = 0; j < expected[i].length; j++) {
        difference = Math.max(difference, Math.abs(actual[i][j] - expected[i][j]));
        largest = Math.max(largest, Math.abs(expected[i][j]));
      }
    }
    if (!(difference <= TOLERANCE * largest)) { // a NaN fails too: Math.max hands it on
      throw new IllegalStateException(
          "%s differs from the library's by %.2g, largest magnitude %.2g"
              .formatted(name, difference, largest));
    }
  }
}
