package io.github.batchnorm;

import static io.github.batchnorm.TestData.combine;
import static io.github.batchnorm.TestData.gaussian;

import io.github.batchnorm.TestLayers.Activation;
import io.github.batchnorm.TestLayers.Attention;
import io.github.batchnorm.TestLayers.Chain;
import io.github.batchnorm.TestLayers.Dense;
import io.github.batchnorm.TestLayers.Dropout;
import io.github.batchnorm.TestLayers.Embedding;
import io.github.batchnorm.TestLayers.Function;
import io.github.batchnorm.TestLayers.Layer;
import io.github.batchnorm.TestLayers.MaxPool;
import io.github.batchnorm.TestLayers.Norm;
import io.github.batchnorm.TestLayers.Residual;
import io.github.batchnorm.TestLayers.Tied;
import io.github.batchnorm.TestNetwork.Loss;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Ordinary small {@link TestNetwork}s, each with weights and a mini-batch drawn from a seed. */
enum TestNetworks {
  DENSE(Loss.MEAN_SQUARED),
  SIGMOID(Loss.SOFTMAX_CROSS_ENTROPY),
  TANH(Loss.MEAN_SQUARED),
  RELU(Loss.SOFTMAX_CROSS_ENTROPY),
  LEAKY(Loss.HINGE),
  ELU(Loss.SOFTMAX_CROSS_ENTROPY),
  SOFTPLUS(Loss.HINGE),
  ABS(Loss.MEAN_SQUARED),
  MAX_POOL(Loss.SOFTMAX_CROSS_ENTROPY),
  BATCH_NORM(Loss.SOFTMAX_CROSS_ENTROPY),
  TWO_BATCH_NORMS(Loss.MEAN_SQUARED),
  GAMMA_ZERO(Loss.SOFTMAX_CROSS_ENTROPY),
  DROPOUT(Loss.HINGE),
  LAYER_NORM(Loss.SOFTMAX_CROSS_ENTROPY),
  ATTENTION(Loss.MEAN_SQUARED),
  RESIDUAL(Loss.SOFTMAX_CROSS_ENTROPY),
  TIED(Loss.MEAN_SQUARED),
  EMBEDDING(Loss.SOFTMAX_CROSS_ENTROPY),
  DEEP(Loss.SOFTMAX_CROSS_ENTROPY);

  private static final int INPUTS = 4;
  private static final int HIDDEN = 6;
  private static final int OUTPUTS = 3;

  private final Loss loss;

  TestNetworks(Loss loss) {
    this.loss = loss;
  }

  /**
   * @param n rows of the mini-batch
   * @param withLoss or a random dout
   * @param factor of the loss, or of dout
   * @param scales of the columns of x
   */
  TestNetwork network(long seed, int n, boolean withLoss, double factor, double... scales) {
    Random random = new Random(seed + 1000L * ordinal());
    Chain layers = new Chain(layers(random, n).toArray(Layer[]::new));
    double[][] x = gaussian(random, n, INPUTS);
    for (double[] row : x) {
      for (int j = 0; j < scales.length; j++) {
        row[j] *= scales[j];
      }
    }
    double[][] out = layers.forward(x);
    double[][] target = gaussian(random, n, out[0].length);
    String name =
        String.format(
            "%s seed %d, N %d, %s times %.0e, scales %s",
            this, seed, n, withLoss ? loss : Loss.DOUT, factor, Arrays.toString(scales));
    return withLoss
        ? new TestNetwork(name, layers, x, loss, target, factor)
        : new TestNetwork(
            name, layers, x, Loss.DOUT, combine(target, target, (t, same) -> factor * t), 1);
  }

  private List<Layer> layers(Random random, int n) {
    Layer in = new Dense(random, INPUTS, HIDDEN);
    Layer out = new Dense(random, HIDDEN, OUTPUTS);
    Layer norm = norm(random);
    return switch (this) {
      case DENSE -> List.of(in, out);
      case SIGMOID, TANH, RELU, LEAKY, ELU, SOFTPLUS, ABS ->
          List.of(in, norm, activation(Function.valueOf(name())), out);
      case MAX_POOL -> List.of(in, norm, new MaxPool(), new Dense(random, HIDDEN / 2, OUTPUTS));
      case BATCH_NORM -> List.of(new Norm(random, INPUTS, false), in);
      case TWO_BATCH_NORMS -> List.of(in, norm, norm(random), activation(Function.TANH), out);
      case GAMMA_ZERO ->
          List.of(in, norm(random).withoutScale(), activation(Function.SIGMOID), out);
      case DROPOUT -> List.of(in, activation(Function.RELU), new Dropout(random, n, HIDDEN), out);
      case LAYER_NORM ->
          List.of(in, new Norm(random, HIDDEN, true), activation(Function.SOFTPLUS), out);
      case ATTENTION -> List.of(in, new Attention(random, HIDDEN), out);
      case RESIDUAL ->
          List.of(in, new Residual(norm, activation(Function.RELU), dense(random)), out);
      case TIED -> List.of(in, norm, new Tied(random, HIDDEN), out);
      case EMBEDDING ->
          List.of(new Embedding(random, 5, INPUTS), in, activation(Function.TANH), out);
      case DEEP -> {
        Layer relu = activation(Function.RELU);
        Layer leaky = activation(Function.LEAKY);
        Layer dense = dense(random);
        Layer secondNorm = norm(random);
        Layer residual = new Residual(dense(random), activation(Function.ABS));
        yield List.of(in, norm, relu, dense, secondNorm, leaky, residual, out);
      }
    };
  }

  private static Layer dense(Random random) {
    return new Dense(random, HIDDEN, HIDDEN);
  }

  private static Norm norm(Random random) {
    return new Norm(random, HIDDEN, false);
  }

  private static Layer activation(Function function) {
    return new Activation(function);
  }
}
