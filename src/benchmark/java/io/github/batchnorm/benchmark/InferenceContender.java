package io.github.batchnorm.benchmark;

/** An implementation of batch norm in inference: every row is normalized by given statistics. */
interface InferenceContender {
  /**
   * Takes the input and makes everything that a caller would make once and use again.
   *
   * @param batch not modified, and not changed by anyone until the last call
   */
  void prepare(Batch batch);

  /** Normalizes all rows of x in one call. */
  void table();

  /** Normalizes row i of x. */
  void row(int i);

  /** What the last calls computed, shape (N, D); not modified by the caller. */
  double[][] out();
}
