package io.github.batchnorm.example;

import java.io.Serializable;
import java.util.Random;
import java.util.stream.Stream;

/**
 * A fully connected layer, {@code out = x W + b}.
 *
 * <p>In front of batch norm b has no use: the mean that is subtracted takes it away again, and beta
 * stands in for it. There the layer is made without one.
 */
final class Dense implements Layer {
  /** The paper only says small random Gaussian values. */
  private static final double STANDARD_DEVIATION = 0.1;

  private final double[][] weights; // W (K, D)
  private final double[] bias; // b (D), stays 0 in a layer without bias
  private final boolean hasBias;

  private double[][] x; // (N, K) of the last forward
  private double[][] dweights; // (K, D)
  private double[] dbias; // (D)

  /**
   * A layer of random weights; the bias starts at 0 and draws no numbers.
   *
   * @param in K, the number of columns of x
   * @param out D, the number of columns of the output
   */
  Dense(int in, int out, boolean hasBias, Random random) {
    weights = new double[in][out];
    bias = new double[out];
    this.hasBias = hasBias;
    for (double[] row : weights) {
      for (int j = 0; j < out; j++) {
        row[j] = STANDARD_DEVIATION * random.nextGaussian();
      }
    }
  }

  /** A layer that goes on where another has been. */
  Dense(State state) {
    weights = copy(state.weights);
    bias = state.bias.clone();
    hasBias = state.hasBias;
  }

  /** All that makes this layer: a snapshot that later steps do not change. */
  State state() {
    return new State(copy(weights), bias.clone(), hasBias);
  }

  private static double[][] copy(double[][] rows) {
    return Stream.of(rows).map(double[]::clone).toArray(double[][]::new);
  }

  @Override
  public double[][] forward(double[][] x) {
    this.x = x;
    return infer(x);
  }

  @Override
  public double[][] infer(double[][] x) {
    double[][] out = Matrix.product(x, weights);
    for (double[] row : out) {
      Matrix.addScaled(1, bias, row);
    }
    return out;
  }

  @Override
  public double[][] backward(double[][] dout) {
    backwardToParameters(dout);
    return Matrix.product(dout, Matrix.transposed(weights));
  }

  /** As {@link #backward}, for the first layer of a network: nobody needs dx there. */
  void backwardToParameters(double[][] dout) {
    dweights = Matrix.product(Matrix.transposed(x), dout);
    dbias = Matrix.columnSums(dout);
  }

  @Override
  public void update(double learningRate) {
    for (int k = 0; k < weights.length; k++) {
      Matrix.addScaled(-learningRate, dweights[k], weights[k]);
    }
    if (hasBias) {
      Matrix.addScaled(-learningRate, dbias, bias);
    }
  }

  /**
   * What to save of a layer, or to send to another machine.
   *
   * @param weights W, shape (K, D); nobody modifies it
   * @param bias b, shape (D), all 0 in a layer without bias; nobody modifies it
   * @param hasBias whether the bias is trained
   */
  record State(double[][] weights, double[] bias, boolean hasBias) implements Serializable {}
}
