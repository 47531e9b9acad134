package io.github.batchnorm.benchmark;

import io.github.batchnorm.BatchNormGradients;

/**
 * An implementation of batch norm in training. The order of calls is prepare, forward, backward;
 * after that forward and backward may be repeated in any order.
 */
interface Contender {
  /**
   * Takes the input and makes everything that a caller would make once and use again.
   *
   * @param batch not modified, and not changed by anyone until the last call
   */
  void prepare(Batch batch);

  /** Normalizes x. */
  void forward();

  /** Computes the gradients of the last forward. */
  void backward();

  /** What the last forward computed, shape (N, D); not modified by the caller. */
  double[][] out();

  /** What the last backward computed; not modified by the caller. */
  BatchNormGradients gradients();
}
