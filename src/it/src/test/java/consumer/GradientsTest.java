package consumer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.github.batchnorm.BatchNormLayer;
import io.github.batchnorm.GradientCheck;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Every gradient of the network, against central differences. */
class GradientsTest {
  private final Random random = new Random(7);
  private final double[][] x = matrix(8, 4);
  private final int[] labels = random.ints(8, 0, 3).toArray();

  private final double[][] weights1 = matrix(4, 5);
  private final double[] bias1 = vector(5);
  private final double[] gamma = vector(5);
  private final double[] beta = vector(5);
  private final double[][] weights2 = matrix(5, 3);
  private final double[] bias2 = vector(3);

  private final Dense first = new Dense(weights1, bias1);
  private final BatchNormLayer norm = batchNorm(gamma, beta);
  private final Dense second = new Dense(weights2, bias2);
  private final Network.Gradients gradients = train(first, norm, second, x);

  @Test
  void by_x() {
    new GradientCheck()
        .check(at -> train(first, norm, second, at).loss(), x, gradients.first().dx())
        .assertPassed();
  }

  @Test
  void by_the_weights() {
    new GradientCheck()
        .check(w -> loss(new Dense(w, bias1), norm, second), weights1, gradients.first().dweights())
        .assertPassed();
    new GradientCheck()
        .check(w -> loss(first, norm, new Dense(w, bias2)), weights2, gradients.second().dweights())
        .assertPassed();
  }

  @Test
  void by_gamma_and_beta() {
    new GradientCheck()
        .check(g -> loss(first, batchNorm(g, beta), second), gamma, gradients.norm().dgamma())
        .assertPassed();
    new GradientCheck()
        .check(b -> loss(first, batchNorm(gamma, b), second), beta, gradients.norm().dbeta())
        .assertPassed();
  }

  @Test
  void by_the_bias_behind_the_batch_norm() {
    new GradientCheck()
        .check(b -> loss(first, norm, new Dense(weights2, b)), bias2, gradients.second().dbias())
        .assertPassed();
  }

  /** The batch norm takes it away again: the true gradient is 0, and no check of it can pass. */
  @Test
  void the_bias_ahead_of_the_batch_norm_has_none() {
    double[] dbias = gradients.first().dbias();
    assertArrayEquals(new double[5], dbias, 1e-15); // rounding: up to 7e-16 with other seeds
    assertFalse(
        new GradientCheck()
            .check(b -> loss(new Dense(weights1, b), norm, second), bias1, dbias)
            .passed());
  }

  private double loss(Dense first, BatchNormLayer norm, Dense second) {
    return train(first, norm, second, x).loss();
  }

  /** With a copy of the batch norm: a check calls it many times, and should train nothing. */
  private Network.Gradients train(Dense first, BatchNormLayer norm, Dense second, double[][] x) {
    return new Network(first, norm.copy(), second).train(x, labels);
  }

  private static BatchNormLayer batchNorm(double[] gamma, double[] beta) {
    return BatchNormLayer.builder(gamma.length).gamma(gamma).beta(beta).build();
  }

  private double[][] matrix(int rows, int columns) {
    double[][] matrix = new double[rows][];
    Arrays.setAll(matrix, i -> vector(columns));
    return matrix;
  }

  private double[] vector(int length) {
    return random.doubles(length, -1, 1).toArray();
  }
}
