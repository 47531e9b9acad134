package io.github.batchnorm;

/**
 * Arithmetic on one value per feature, shape (D). No checks and no state: the callers have both.
 */
final class Columns {
  private Columns() {}

  /** {@code out = a + b}. */
  static void add(double[] a, double[] b, double[] out) {
    for (int j = 0; j < out.length; j++) {
      out[j] = a[j] + b[j];
    }
  }

  /** {@code values = values / n}. */
  static void divide(double[] values, int n) {
    for (int j = 0; j < values.length; j++) {
      values[j] /= n;
    }
  }

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
    for (double value : values) {
      if (!Double.isFinite(value)) {
        return false;
      }
    }
    return true;
  }
}
