package io.github.batchnorm;

/**
 * Finds out whether two matrices share a row: a mark in each row of the one shows in the other.
 *
 * <p>That is three visits to the first value of a row, where a set of identities would take longer
 * than the forward itself.
 */
final class RowMarks {
  /** A NaN that no computation makes; as an input it would be refused anyway. */
  private static final double MARK = Double.longBitsToDouble(0x7ff8_b17c_404b_2016L);

  private final boolean parallel;
  private double[] firsts = {}; // (N) the values in the place of the marks

  RowMarks(boolean parallel) {
    this.parallel = parallel;
  }

  /**
   * That {@code out} does not overwrite {@code x}, which backward will read again.
   *
   * @param out shape (N, D) as x; as it was when this returns or throws
   * @throws IllegalArgumentException if it does
   */
  void checkNoSharedRow(String xName, double[][] x, String outName, double[][] out) {
    int n = out.length;
    if (firsts.length < n) {
      firsts = new double[n];
    }
    forRows(n, (first, end) -> mark(out, first, end));
    try {
      forRows(n, (first, end) -> look(xName, x, outName, first, end));
    } finally {
      forRows(n, (first, end) -> restore(out, first, end));
    }
  }

  private void forRows(int n, Team.RowsAction action) {
    if (parallel && n >= Check.MANY_ROWS) {
      Team.forRows(n, Check.MANY_ROWS / 2, action);
    } else {
      action.accept(0, n);
    }
  }

  private void mark(double[][] out, int first, int end) {
    for (int i = first; i < end; i++) {
      firsts[i] = out[i][0];
      out[i][0] = MARK;
    }
  }

  private static void look(String xName, double[][] x, String outName, int first, int end) {
    for (int i = first; i < end; i++) {
      if (isMark(x[i][0])) {
        throw Check.sharedRow(xName, i, outName);
      }
    }
  }

  private void restore(double[][] out, int first, int end) {
    for (int i = first; i < end; i++) {
      if (!isMark(firsts[i])) { // else out holds the row twice, and its other place knows better
        out[i][0] = firsts[i];
      }
    }
  }

  private static boolean isMark(double value) {
    return Double.doubleToRawLongBits(value) == Double.doubleToRawLongBits(MARK);
  }
}
