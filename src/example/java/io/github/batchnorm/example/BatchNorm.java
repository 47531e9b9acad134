package io.github.batchnorm.example;

import io.github.batchnorm.BatchNormGradients;
import io.github.batchnorm.BatchNormLayer;
import io.github.batchnorm.BatchNormState;

/**
 * The library's layer as a layer of this network. All of batch norm is in {@link BatchNormLayer};
 * here it gets its place in the network, and its gamma and beta are trained.
 *
 * <p>The library takes one array for input and output, so all three methods work in place.
 */
final class BatchNorm implements Layer {
  private final BatchNormLayer norm;
  private BatchNormGradients gradients;

  BatchNorm(int features) {
    norm = new BatchNormLayer(features);
  }

  /** A layer that goes on where another has been. */
  BatchNorm(BatchNormState state) {
    norm = BatchNormLayer.of(state);
  }

  BatchNormState state() {
    return norm.state();
  }

  @Override
  public double[][] forward(double[][] x) {
    return norm.forward(x, x);
  }

  @Override
  public double[][] backward(double[][] dout) {
    gradients = norm.backward(dout, dout);
    return gradients.dx();
  }

  @Override
  public double[][] infer(double[][] x) {
    return norm.infer(x, x);
  }

  @Override
  public void update(double learningRate) {
    // both arrays are live: what is written into them is what the layer uses from now on
    Matrix.addScaled(-learningRate, gradients.dgamma(), norm.gamma());
    Matrix.addScaled(-learningRate, gradients.dbeta(), norm.beta());
  }
}
