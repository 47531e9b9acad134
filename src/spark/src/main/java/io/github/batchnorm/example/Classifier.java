package io.github.batchnorm.example;

import io.github.batchnorm.BatchNormLayer;
import io.github.batchnorm.BatchNormState;
import java.io.Serializable;
import org.apache.spark.api.java.function.MapFunction;

/**
 * A layer that standardizes the grey values, and behind it the network of the example with batch
 * norm.
 *
 * <pre>{@code
 * images (N, 784), 0 to 255 -> standardizing -> network -> scores (N, 10)
 * }</pre>
 *
 * <p>It is not serializable itself. Its {@link State} is: Spark broadcasts that, and each partition
 * makes a classifier of its own.
 */
final class Classifier {
  private final BatchNormLayer standardizing;
  private final Network network;

  /**
   * A classifier of these parts, which are kept.
   *
   * @param standardizing only its {@code infer} is used: its statistics stay as they are
   * @param network with batch norm; trained by {@link #train}
   */
  Classifier(BatchNormLayer standardizing, Network network) {
    this.standardizing = standardizing;
    this.network = network;
  }

  /** A classifier that goes on where another has been: its scores are the same, bit for bit. */
  Classifier(State state) {
    this(BatchNormLayer.of(state.standardizing), new Network(state.network));
  }

  /**
   * Makes one step of gradient descent.
   *
   * @param images the mini-batch, shape (N, 784); not modified
   * @param labels its digits, shape (N); not modified
   */
  void train(double[][] images, int[] labels, double learningRate) {
    network.train(standardizing.infer(images), labels, learningRate);
  }

  /**
   * The scores of many images.
   *
   * @param images shape (N, 784); not modified
   * @return shape (N, 10): a new array
   */
  double[][] scores(double[][] images) {
    return network.inferScores(network.inferSigmoidInputs(standardizing.infer(images)));
  }

  /**
   * The scores of one image, with the same bits as among many.
   *
   * @param image shape (784); not modified
   * @return shape (10): a new array
   */
  double[] scores(double[] image) {
    double[][] row = {standardizing.infer(image)};
    return network.inferScores(network.inferSigmoidInputs(row))[0];
  }

  /** All that makes this classifier: a snapshot that later steps do not change. */
  State state() {
    return new State(standardizing.state(), network.state());
  }

  /**
   * What Spark broadcasts.
   *
   * @param standardizing the layer in front
   * @param network the states of all layers behind it
   */
  record State(BatchNormState standardizing, Network.State network) implements Serializable {}

  /** Scores of one image after the other, on a worker that has the state alone. */
  static final class Scores implements MapFunction<double[], double[]> {
    private static final long serialVersionUID = 1;

    private final State state;
    private transient ThreadLocal<Classifier> classifier; // made by the first image

    Scores(State state) {
      this.state = state;
    }

    @Override
    public double[] call(double[] image) {
      return classifier().scores(image);
    }

    private synchronized Classifier classifier() {
      if (classifier == null) {
        classifier = ThreadLocal.withInitial(() -> new Classifier(state));
      }
      return classifier.get();
    }
  }
}
