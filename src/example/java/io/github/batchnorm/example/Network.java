package io.github.batchnorm.example;

import io.github.batchnorm.BatchNormState;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/**
 * The network of the paper's section 4.1: three hidden layers of 100 sigmoid units, ten scores.
 *
 * <pre>{@code
 * images (N, 784) -> dense [-> batch norm] -> sigmoid     three times, (N, 100)
 *                 -> dense -> scores (N, 10)
 * }</pre>
 *
 * <p>Batch norm stands between the dense layer and the sigmoid, as in the paper, and makes the bias
 * of the dense layer unnecessary.
 */
final class Network {
  private static final int HIDDEN_LAYERS = 3;
  private static final int UNITS = 100;

  private final Dense first;
  private final List<Layer> rest = new ArrayList<>();
  private final List<Layer> body; // of the rest, up to the input of the last sigmoid
  private final List<Layer> head; // of the rest, that sigmoid and the output layer

  /**
   * A network that knows nothing yet.
   *
   * @param random draws the weights: the same ones with batch norm and without
   */
  Network(boolean batchNorm, Random random) {
    this(drawn(!batchNorm, random), batchNorm ? norms() : List.of());
  }

  /** A network that goes on where another has been. */
  Network(State state) {
    this(
        state.dense.stream().map(Dense::new).toList(),
        state.norms.stream().map(BatchNorm::new).toList());
  }

  private Network(List<Dense> dense, List<BatchNorm> norms) {
    first = dense.get(0);
    for (int layer = 0; layer < HIDDEN_LAYERS; layer++) {
      if (!norms.isEmpty()) {
        rest.add(norms.get(layer));
      }
      rest.add(new Sigmoid());
      rest.add(dense.get(layer + 1));
    }
    body = rest.subList(0, rest.size() - 2);
    head = rest.subList(rest.size() - 2, rest.size());
  }

  private static List<Dense> drawn(boolean hiddenBias, Random random) {
    List<Dense> dense = new ArrayList<>();
    for (int layer = 0; layer < HIDDEN_LAYERS; layer++) {
      dense.add(new Dense(layer == 0 ? Digits.PIXELS : UNITS, UNITS, hiddenBias, random));
    }
    dense.add(new Dense(UNITS, Digits.CLASSES, true, random));
    return dense;
  }

  private static List<BatchNorm> norms() {
    return Stream.generate(() -> new BatchNorm(UNITS)).limit(HIDDEN_LAYERS).toList();
  }

  /** All that makes this network: a snapshot that later steps do not change. */
  State state() {
    List<Dense.State> dense = new ArrayList<>(List.of(first.state()));
    List<BatchNormState> norms = new ArrayList<>();
    for (Layer layer : rest) {
      if (layer instanceof Dense d) {
        dense.add(d.state());
      } else if (layer instanceof BatchNorm norm) {
        norms.add(norm.state());
      }
    }
    return new State(List.copyOf(dense), List.copyOf(norms));
  }

  /**
   * Makes one step of gradient descent.
   *
   * @param images the mini-batch, shape (N, 784); not modified
   * @param labels its digits, shape (N); not modified
   */
  void train(double[][] images, int[] labels, double learningRate) {
    double[][] out = first.forward(images);
    for (Layer layer : rest) {
      out = layer.forward(out);
    }
    double[][] dout = SoftmaxCrossEntropy.gradient(out, labels);
    for (int l = rest.size() - 1; l >= 0; l--) {
      dout = rest.get(l).backward(dout);
    }
    first.backwardToParameters(dout);

    first.update(learningRate);
    rest.forEach(layer -> layer.update(learningRate));
  }

  /**
   * Inference, first part: what goes into the sigmoids of the last hidden layer.
   *
   * @param images shape (N, 784); not modified
   * @return shape (N, 100): a new array
   */
  double[][] inferSigmoidInputs(double[][] images) {
    double[][] out = first.infer(images);
    for (Layer layer : body) {
      out = layer.infer(out);
    }
    return out;
  }

  /**
   * Inference, second part: from there to the scores of the ten digits.
   *
   * @param sigmoidInputs shape (N, 100); overwritten
   * @return shape (N, 10): a new array
   */
  double[][] inferScores(double[][] sigmoidInputs) {
    double[][] out = sigmoidInputs;
    for (Layer layer : head) {
      out = layer.infer(out);
    }
    return out;
  }

  /**
   * What to save of a network, or to send to another machine.
   *
   * @param dense the dense layers, from the images to the scores
   * @param norms the batch norms, from the images on; empty in a network without
   */
  record State(List<Dense.State> dense, List<BatchNormState> norms) implements Serializable {}
}
