package io.github.batchnorm.example;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * What the figure shows of a network after some steps of training, from inference on all test
 * images.
 *
 * <p>The percentiles are those of the input of one sigmoid of the last hidden layer. The paper
 * shows "a typical sigmoid"; here it is the first one of the layer, whatever it looks like.
 *
 * @param step the number of mini-batches so far
 * @param accuracy the share of the test images that the network takes for the right digit
 * @param low the 15th percentile
 * @param median the 50th percentile
 * @param high the 85th percentile
 */
record Measurement(int step, double accuracy, double low, double median, double high) {
  private static final int SIGMOID = 0;
  private static final int CHUNK = 500; // images at a time, so that the matrices stay small

  static Measurement of(Network network, Digits test, int step) {
    double[] inputs = new double[test.count()];
    int right = 0;
    for (int start = 0; start < test.count(); start += CHUNK) {
      int[] which = IntStream.range(start, Math.min(start + CHUNK, test.count())).toArray();
      double[][] sigmoidInputs = network.inferSigmoidInputs(test.images(which));
      for (int i = 0; i < which.length; i++) {
        inputs[which[i]] = sigmoidInputs[i][SIGMOID];
      }
      right += countRight(network.inferScores(sigmoidInputs), test.labels(which));
    }
    Arrays.sort(inputs);
    return new Measurement(
        step,
        (double) right / test.count(),
        percentile(inputs, 0.15),
        percentile(inputs, 0.50),
        percentile(inputs, 0.85));
  }

  private static int countRight(double[][] scores, int[] labels) {
    int right = 0;
    for (int i = 0; i < labels.length; i++) {
      if (SoftmaxCrossEntropy.indexOfMax(scores[i]) == labels[i]) {
        right++;
      }
    }
    return right;
  }

  private static double percentile(double[] sorted, double share) {
    return sorted[(int) Math.round(share * (sorted.length - 1))];
  }
}
