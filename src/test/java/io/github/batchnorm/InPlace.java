package io.github.batchnorm;

/** The outputs that are the input, or count as the input because they share a row with it. */
enum InPlace {
  ITSELF,
  SHALLOW_COPY,
  FIRST_ROW_SHARED,
  LAST_ROW_SHARED;

  /** An output of this kind. Rows of its own hold a value that no computation here gives. */
  double[][] output(double[][] input) {
    int last = input.length - 1;
    return switch (this) {
      case ITSELF -> input;
      case SHALLOW_COPY -> input.clone();
      case FIRST_ROW_SHARED -> withOneRowOf(input, 0);
      case LAST_ROW_SHARED -> withOneRowOf(input, last);
    };
  }

  private static double[][] withOneRowOf(double[][] input, int i) {
    double[][] output = TestData.filled(input.length, input[0].length, -4242);
    output[i] = input[i];
    return output;
  }
}
