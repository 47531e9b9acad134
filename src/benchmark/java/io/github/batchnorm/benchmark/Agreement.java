package io.github.batchnorm.benchmark;

/** Compares the results of two contenders: who is fast but wrong is not measured. */
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
    check(name + " dx", actual.dx(), expected.dx());
    check(name + " dgamma", new double[][] {actual.dgamma()}, new double[][] {expected.dgamma()});
    check(name + " dbeta", new double[][] {actual.dbeta()}, new double[][] {expected.dbeta()});
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
