package io.github.batchnorm;

/**
 * Arithmetic on one value per feature, shape (D). No checks and no state: the callers have both.
 */
final class Columns {
  private Columns() {}

  /** {@code out = √(var + epsilon)}. */
  static void sqrt(double[] var, double epsilon, double[] out) {
    for (int j = 0; j < out.length; j++) {
      out[j] = Math.sqrt(var[j] + epsilon);
    }
  }

  /** {@code out = 1 / a}. */
  static void invert(double[] a, double[] out) {
    for (int j = 0; j < out.length; j++) {
      out[j] = 1 / a[j];
    }
  }

  /** Whether no value is NaN or infinite. */
  static boolean areFinite(double[] values) {
    return areFinite(values, 0, values.length);
  }

  /** The same for the columns {@code [from, to)}. */
  static boolean areFinite(double[] values, int from, int to) {
    for (int j = from; j < to; j++) {
      if (!Double.isFinite(values[j])) {
        return false;
      }
    }
    return true;
  }
}
