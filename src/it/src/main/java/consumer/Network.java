package consumer;

import io.github.batchnorm.BatchNormGradients;
import io.github.batchnorm.BatchNormLayer;
import java.util.Arrays;

/** Dense, batch norm, ReLU, dense; the loss is the mean cross-entropy of the softmax. */
record Network(Dense first, BatchNormLayer norm, Dense second) {

  /** One mini-batch in training, x of shape (N, in) with a label for each row. */
  Gradients train(double[][] x, int[] labels) {
    double[][] normalized = norm.forward(first.forward(x));
    double[][] probabilities = softmax(second.forward(relu(normalized)));

    double[][] dlogits = probabilities;
    double loss = 0;
    for (int i = 0; i < x.length; i++) {
      loss -= Math.log(probabilities[i][labels[i]]) / x.length;
      dlogits[i][labels[i]] -= 1;
      for (int j = 0; j < dlogits[i].length; j++) {
        dlogits[i][j] /= x.length;
      }
    }
    Dense.Gradients bySecond = second.backward(dlogits);
    BatchNormGradients byNorm = norm.backward(reluBackward(normalized, bySecond.dx()));
    return new Gradients(loss, first.backward(byNorm.dx()), byNorm, bySecond);
  }

  private static double[][] relu(double[][] x) {
    return Arrays.stream(x)
        .map(row -> Arrays.stream(row).map(value -> Math.max(value, 0)).toArray())
        .toArray(double[][]::new);
  }

  private static double[][] reluBackward(double[][] x, double[][] dout) {
    double[][] dx = new double[x.length][x[0].length];
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < x[i].length; j++) {
        dx[i][j] = x[i][j] > 0 ? dout[i][j] : 0;
      }
    }
    return dx;
  }

  private static double[][] softmax(double[][] logits) {
    return Arrays.stream(logits).map(Network::softmax).toArray(double[][]::new);
  }

  private static double[] softmax(double[] logits) {
    double largest = Arrays.stream(logits).max().orElseThrow();
    double[] powers = Arrays.stream(logits).map(logit -> Math.exp(logit - largest)).toArray();
    double sum = Arrays.stream(powers).sum();
    return Arrays.stream(powers).map(power -> power / sum).toArray();
  }

  /** The loss and its gradients by all that the layers hold, and by x: {@code first().dx()}. */
  record Gradients(
      double loss, Dense.Gradients first, BatchNormGradients norm, Dense.Gradients second) {}
}
