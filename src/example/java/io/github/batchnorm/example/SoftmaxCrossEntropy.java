package io.github.batchnorm.example;

/** The loss: the cross-entropy between softmax(scores) and the labels, mean over the batch. */
final class SoftmaxCrossEntropy {
  private SoftmaxCrossEntropy() {}

  /**
   * The derivative of the loss with respect to the scores, {@code (softmax(scores) -
   * onehot(labels)) / N}.
   *
   * @param scores the output of the network, shape (N, 10); not modified
   * @param labels the digits, shape (N); not modified
   * @return dscores, shape (N, 10): a new array
   */
  static double[][] gradient(double[][] scores, int[] labels) {
    double[][] dscores = new double[scores.length][];
    for (int i = 0; i < scores.length; i++) {
      dscores[i] = softmax(scores[i]);
      dscores[i][labels[i]] -= 1;
      for (int j = 0; j < dscores[i].length; j++) {
        dscores[i][j] /= scores.length;
      }
    }
    return dscores;
  }

  private static double[] softmax(double[] scores) {
    double max = scores[indexOfMax(scores)]; // subtracted, so that exp cannot overflow
    double[] p = new double[scores.length];
    double sum = 0;
    for (int j = 0; j < p.length; j++) {
      p[j] = StrictMath.exp(scores[j] - max);
      sum += p[j];
    }
    for (int j = 0; j < p.length; j++) {
      p[j] /= sum;
    }
    return p;
  }

  /** The digit that the network takes the image for: the one with the highest of its scores. */
  static int indexOfMax(double[] scores) {
    int best = 0;
    for (int j = 1; j < scores.length; j++) {
      if (scores[j] > scores[best]) {
        best = j;
      }
    }
    return best;
  }
}
