package io.github.batchnorm;

/**
 * Arithmetic on one value per feature, shape (D). No checks and no state: the callers have both.
 */
final class Columns {
  private Columns() {}

  /**
   * Step 1: the mean {@code shift + sums / n} as the nearest double and the rest that it lacks.
   *
   * <p>The rest is exact but for the rounding of {@code sums / n} (Knuth's TwoSum, The Art of
   * Computer Programming 2, section 4.2.2).
   *
   * @param mu the sums when called, the mean on return
   */
  static void mean(double[] shift, double[] mu, int n, double[] rest, int from, int to) {
    for (int j = from; j < to; j++) {
      double a = shift[j];
      double b = mu[j] / n;
      double sum = a + b;
      double bRounded = sum - a;
      rest[j] = (a - (sum - bRounded)) + (b - bRounded);
    }
    for (int j = from; j < to; j++) { // a loop of its own: one store each, see Rows
      mu[j] = shift[j] + mu[j] / n;
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
