/** Batch normalization over {@code double[][]} matrices; needs nothing but {@code java.base}. */
module io.github.batchnorm {
  exports io.github.batchnorm;
}
