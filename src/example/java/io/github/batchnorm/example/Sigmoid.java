package io.github.batchnorm.example;

/** The logistic function of each entry, {@code out = 1 / (1 + exp(-x))}; it has no parameters. */
final class Sigmoid implements Layer {
  private double[][] out; // (N, D) of the last forward

  @Override
  public double[][] forward(double[][] x) {
    out = infer(x);
    return out;
  }

  @Override
  public double[][] infer(double[][] x) {
    for (double[] row : x) {
      for (int j = 0; j < row.length; j++) {
        row[j] = 1 / (1 + StrictMath.exp(-row[j])); // strict: the same bits on every machine
      }
    }
    return x;
  }

  @Override
  public double[][] backward(double[][] dout) {
    for (int i = 0; i < dout.length; i++) {
      for (int j = 0; j < dout[i].length; j++) {
        dout[i][j] *= out[i][j] * (1 - out[i][j]);
      }
    }
    return dout;
  }

  @Override
  public void update(double learningRate) {
    // nothing to train
  }
}
