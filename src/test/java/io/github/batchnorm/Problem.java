package io.github.batchnorm;

import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestData.input;

import java.util.Random;

/**
 * What most tests start from: a mini-batch, the derivative of a loss with respect to its output,
 * and the parameters of a layer, all random. Two layers of one problem are twins: the same until
 * one of them is called.
 *
 * @param x shape (N, D)
 * @param dout shape (N, D)
 * @param gamma shape (D)
 * @param beta shape (D)
 */
record Problem(double[][] x, double[][] dout, double[] gamma, double[] beta) {
  static Problem of(int n, int d, long seed) {
    Random random = new Random(seed);
    return new Problem(
        input(random, n, d), gaussian(random, n, d), gaussian(random, d), gaussian(random, d));
  }

  /** The same parameters, and another mini-batch with its dout, of n rows. */
  Problem next(int n, long seed) {
    Problem other = of(n, d(), seed);
    return new Problem(other.x, other.dout, gamma, beta);
  }

  int n() {
    return x.length;
  }

  int d() {
    return gamma.length;
  }

  /** A new matrix of the shape of x. */
  double[][] zeros() {
    return new double[n()][d()];
  }

  BatchNormLayer.Builder builder() {
    return BatchNormLayer.builder(d()).gamma(gamma).beta(beta);
  }

  /** A new layer. */
  BatchNormLayer layer() {
    return builder().build();
  }

  /** A new layer after one forward. */
  BatchNormLayer trained() {
    BatchNormLayer layer = layer();
    layer.forward(x);
    return layer;
  }
}
