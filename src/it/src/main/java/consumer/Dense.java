package consumer;

/** A dense layer: {@code out = x * weights + bias}. */
final class Dense {
  private final double[][] weights; // (in, out)
  private final double[] bias; // (out)
  private double[][] x; // (N, in), of the last forward

  Dense(double[][] weights, double[] bias) {
    this.weights = weights;
    this.bias = bias;
  }

  /** x (N, in) to out (N, out). */
  double[][] forward(double[][] x) {
    this.x = x;
    double[][] out = new double[x.length][];
    for (int i = 0; i < x.length; i++) {
      out[i] = bias.clone();
      for (int k = 0; k < weights.length; k++) {
        for (int j = 0; j < bias.length; j++) {
          out[i][j] += x[i][k] * weights[k][j];
        }
      }
    }
    return out;
  }

  /** The gradients of the last forward; dout has shape (N, out). */
  Gradients backward(double[][] dout) {
    double[][] dx = new double[x.length][weights.length];
    double[][] dweights = new double[weights.length][bias.length];
    double[] dbias = new double[bias.length];
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < bias.length; j++) {
        dbias[j] += dout[i][j];
        for (int k = 0; k < weights.length; k++) {
          dx[i][k] += dout[i][j] * weights[k][j];
          dweights[k][j] += dout[i][j] * x[i][k];
        }
      }
    }
    return new Gradients(dx, dweights, dbias);
  }

  record Gradients(double[][] dx, double[][] dweights, double[] dbias) {}
}
