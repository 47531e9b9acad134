package io.github.batchnorm.example;

/** The little linear algebra that a fully connected layer needs. */
final class Matrix {
  private Matrix() {}

  /**
   * The product a b.
   *
   * @param a shape (N, K); not modified
   * @param b shape (K, D); not modified
   * @return shape (N, D): a new array
   */
  static double[][] product(double[][] a, double[][] b) {
    double[][] out = new double[a.length][b[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int k = 0; k < b.length; k++) {
        if (a[i][k] != 0) { // seven of eight pixels are 0
          addScaled(a[i][k], b[k], out[i]);
        }
      }
    }
    return out;
  }

  /**
   * Adds a multiple of a row: {@code sum += factor * row}.
   *
   * @param row shape (D); not modified
   * @param sum shape (D); written
   */
  static void addScaled(double factor, double[] row, double[] sum) {
    for (int j = 0; j < sum.length; j++) {
      sum[j] += factor * row[j];
    }
  }

  /**
   * The transpose of a.
   *
   * @param a shape (N, D); not modified
   * @return shape (D, N): a new array
   */
  static double[][] transposed(double[][] a) {
    double[][] out = new double[a[0].length][a.length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[i].length; j++) {
        out[j][i] = a[i][j];
      }
    }
    return out;
  }

  /**
   * The sum over the rows of a.
   *
   * @param a shape (N, D); not modified
   * @return shape (D): a new array
   */
  static double[] columnSums(double[][] a) {
    double[] sums = new double[a[0].length];
    for (double[] row : a) {
      addScaled(1, row, sums);
    }
    return sums;
  }
}
