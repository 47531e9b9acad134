package io.github.batchnorm;

import static io.github.batchnorm.TestData.combine;
import static io.github.batchnorm.TestData.copy;
import static io.github.batchnorm.TestLayers.map;
import static io.github.batchnorm.TestLayers.softmax;

import io.github.batchnorm.TestLayers.Chain;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Layers with a mini-batch and a loss, or with a random dout in place of the loss. {@link
 * TestNetworks} lists some.
 */
final class TestNetwork {
  /** Takes the output, rows of scores or values. */
  enum Loss {
    /** Σ dout * out, which the check adds up itself. */
    DOUT,
    MEAN_SQUARED,
    SOFTMAX_CROSS_ENTROPY,
    HINGE
  }

  /** One gradient of a network: where it was taken, and what the backward pass gives. */
  record Part(String name, double[][] at, double[][] gradient) {}

  private final String name;
  private final Chain layers;
  private final double[][] x;
  private final Loss loss;
  private final double[][] target; // or dout
  private final double factor; // of the loss
  private long calls;

  TestNetwork(
      String name, Chain layers, double[][] x, Loss loss, double[][] target, double factor) {
    this.name = name;
    this.layers = layers;
    this.x = x;
    this.loss = loss;
    this.target = target;
    this.factor = factor;
  }

  /** The gradients by x and by every parameter, as the layers work them out. */
  List<Part> parts() {
    return parts(x);
  }

  /** The same, of another mini-batch: a backward pass with what an earlier forward pass kept. */
  List<Part> staleParts() {
    return parts(map(x, v -> 1.01 * v));
  }

  /** The same with a mistake in a layer. */
  List<Part> parts(String mistake) {
    layers.make(mistake);
    List<Part> parts = parts();
    layers.make("");
    return parts;
  }

  private List<Part> parts(double[][] batch) {
    double[][] dx = layers.backward(dout(layers.forward(batch)));
    List<Part> parts = new ArrayList<>();
    parts.add(new Part("x", x, dx));
    for (int k = 0; k < layers.parameters.size(); k++) {
      parts.add(new Part("parameter " + k, layers.parameters.get(k), layers.gradients.get(k)));
    }
    return parts;
  }

  List<String> mistakes() {
    return layers.mistakes();
  }

  /** Checks what is said to be the gradient of a part. */
  GradientReport check(Part part, double[][] gradient) {
    boolean isVector = part.at != x && part.at.length == 1;
    if (loss == Loss.DOUT) {
      return isVector
          ? new GradientCheck().check(p -> out(part, p), part.at[0], target, gradient[0])
          : new GradientCheck().check(values -> out(part, values), part.at, target, gradient);
    }
    return isVector
        ? new GradientCheck().check(p -> loss(out(part, p)), part.at[0], gradient[0])
        : new GradientCheck().check(values -> loss(out(part, values)), part.at, gradient);
  }

  /** How often the network was run. */
  long calls() {
    return calls;
  }

  /**
   * Whether a mistake can show: whether an entry is off by a hundred thousandth, and by more than
   * rounding makes of the loss where the entry moves by its spread.
   */
  boolean shows(double[][] wrong, Part part) {
    double size = size();
    for (int i = 0; i < wrong.length; i++) {
      for (int j = 0; j < wrong[i].length; j++) {
        double right = part.gradient[i][j];
        double change = Math.abs(wrong[i][j] - right);
        double larger = Math.max(Math.abs(wrong[i][j]), Math.abs(right));
        if (!(change <= 5e-6 * larger || change * spread(part.at, j) <= 1e-9 * size)) {
          return true;
        }
      }
    }
    return false;
  }

  private double size() {
    double[][] out = layers.forward(x);
    return loss == Loss.DOUT ? norm(combine(out, target, (o, d) -> o * d)) : Math.abs(loss(out));
  }

  private static double norm(double[][] values) {
    return Arrays.stream(values).flatMapToDouble(Arrays::stream).reduce(0, Math::hypot);
  }

  private static double spread(double[][] values, int j) {
    double[] column = TestData.column(values, j);
    double mean = Arrays.stream(column).average().orElseThrow();
    double deviation = Arrays.stream(column).map(v -> v - mean).reduce(0, Math::hypot);
    return deviation == 0 ? 1 : deviation / Math.sqrt(column.length);
  }

  private double[][] out(Part part, double[] vector) {
    return out(part, new double[][] {vector});
  }

  /** The output with other values in the place of a part's. */
  private double[][] out(Part part, double[][] values) {
    calls++;
    if (part.at == x) {
      return layers.forward(values);
    }
    double[][] before = copy(part.at);
    write(values, part.at);
    double[][] out = layers.forward(x);
    write(before, part.at);
    return out;
  }

  private static void write(double[][] from, double[][] to) {
    for (int i = 0; i < from.length; i++) {
      System.arraycopy(from[i], 0, to[i], 0, from[i].length);
    }
  }

  private double loss(double[][] out) {
    double sum = Arrays.stream(losses(out)).flatMapToDouble(Arrays::stream).sum();
    return factor * sum / out.length;
  }

  private double[][] losses(double[][] out) {
    if (loss == Loss.MEAN_SQUARED) {
      return combine(out, target, (o, t) -> (o - t) * (o - t));
    } else if (loss == Loss.HINGE) {
      return combine(out, target, (o, t) -> Math.max(0, 1 - o * Math.signum(t)));
    }
    double[][] losses = new double[out.length][];
    Arrays.setAll(losses, i -> new double[] {logOfSum(out[i]) - out[i][label(i)]});
    return losses;
  }

  /** log Σ exp(score), without overflow. */
  private static double logOfSum(double[] scores) {
    double largest = Arrays.stream(scores).max().orElseThrow();
    return largest + Math.log(Arrays.stream(scores).map(s -> Math.exp(s - largest)).sum());
  }

  private int label(int i) {
    return i % target[0].length;
  }

  private double[][] dout(double[][] out) {
    double n = out.length;
    if (loss == Loss.DOUT) {
      return target;
    } else if (loss == Loss.MEAN_SQUARED) {
      return combine(out, target, (o, t) -> factor * 2 * (o - t) / n);
    } else if (loss == Loss.HINGE) {
      return combine(
          out, target, (o, t) -> o * Math.signum(t) < 1 ? -factor * Math.signum(t) / n : 0);
    }
    double[][] dout = map(softmax(out), p -> factor * p / n);
    for (int i = 0; i < out.length; i++) {
      dout[i][label(i)] -= factor / n;
    }
    return dout;
  }

  @Override
  public String toString() {
    return name;
  }
}
