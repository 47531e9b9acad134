package io.github.batchnorm.example;

import io.github.batchnorm.BatchNormGradients;
import io.github.batchnorm.BatchNormLayer;
import io.github.batchnorm.ColumnStatistics;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Random;
import java.util.function.BinaryOperator;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.Function;

/**
 * Training of a small network with batch norm on one mini-batch, whose parts stay on the machines
 * where they are.
 *
 * <pre>{@code
 * x (N, K) -> dense W -> h (N, D) -> batch norm -> sigmoid -> dense V, b -> scores (N, C) -> loss
 * }</pre>
 *
 * <p>A step takes three jobs of Spark. Each sends the network to the workers, and sums back, which
 * the driver adds in the order of the parts:
 *
 * <ol>
 *   <li>the statistics of h
 *   <li>forward, and back to batch norm: its dgamma and dbeta, and the gradients behind it
 *   <li>back through batch norm, which needs the sums of the second job: dW
 * </ol>
 *
 * <p>Jobs, and not one barrier stage whose tasks exchange the sums: a job may have more parts than
 * there are cores, and when a worker is lost, Spark repeats its parts and not all steps.
 */
final class PartedTraining {
  /** The rows of a part: x (n, K), and the class of each row, 0 to C - 1. */
  record Part(double[][] x, int[] labels) implements Serializable {
    int rows() {
      return labels.length;
    }
  }

  /**
   * The parameters, or their gradients.
   *
   * @param loss the loss that the gradients belong to; 0 for parameters
   */
  record Network(double loss, double[][] w, double[][] v, double[] b, double[] gamma, double[] beta)
      implements Serializable {

    static Network random(int k, int d, int c, Random random) {
      double[] gamma = new double[d];
      Arrays.fill(gamma, 1);
      return new Network(
          0, gaussian(k, d, random), gaussian(d, c, random), new double[c], gamma, new double[d]);
    }

    private static double[][] gaussian(int rows, int columns, Random random) {
      double[][] a = new double[rows][columns];
      for (double[] row : a) {
        Arrays.setAll(row, j -> 0.1 * random.nextGaussian());
      }
      return a;
    }

    /** {@code this + factor * other}: a new one. */
    Network plus(double factor, Network other) {
      return new Network(
          loss + factor * other.loss,
          sum(w, factor, other.w),
          sum(v, factor, other.v),
          sum(b, factor, other.b),
          sum(gamma, factor, other.gamma),
          sum(beta, factor, other.beta));
    }

    Network withW(double[][] other) {
      return new Network(loss, other, v, b, gamma, beta);
    }

    BatchNormLayer.Builder norm() {
      return BatchNormLayer.builder(gamma.length).gamma(gamma).beta(beta).parallel(false);
    }
  }

  private static double[][] sum(double[][] a, double factor, double[][] b) {
    double[][] sum = new double[a.length][];
    Arrays.setAll(sum, i -> sum(a[i], factor, b[i]));
    return sum;
  }

  private static double[] sum(double[] a, double factor, double[] b) {
    double[] sum = a.clone();
    Matrix.addScaled(factor, b, sum);
    return sum;
  }

  private PartedTraining() {}

  /**
   * The gradients on one machine, by the layer's forward and backward.
   *
   * @param part all rows
   * @param n N, by which the loss is divided
   */
  static Network onOneMachine(Network net, Part part, int n) {
    BatchNormLayer norm = net.norm().build();
    double[][] out = norm.forward(Matrix.product(part.x, net.w));
    Behind behind = Behind.of(net, out, part.labels, n);
    BatchNormGradients g = norm.backward(behind.dout);
    return behind.gradients(dw(part, g.dx()), g);
  }

  /** The gradients of all parts together, exactly. */
  static Network exact(Network net, JavaRDD<Part> parts) {
    JavaRDD<Part> filled = parts.filter(part -> part.rows() > 0);
    ColumnStatistics h =
        sum(
            filled,
            part -> new ColumnStatistics(net.gamma.length).add(Matrix.product(part.x, net.w)),
            ColumnStatistics::combine);
    Shared shared = new Shared(net, h);
    Network g = sum(filled, shared::gradientsWithoutW, (a, b) -> a.plus(1, b));
    return g.withW(sum(filled, part -> shared.dw(part, g), (a, b) -> sum(a, 1, b)));
  }

  /**
   * The usual shortcut: each part normalizes by the statistics of its own rows. A part of fewer
   * than 2 rows has none and is left out.
   */
  static Network byStatisticsOfEachPart(Network net, JavaRDD<Part> parts, int n) {
    return sum(
        parts.filter(part -> part.rows() > 1),
        part -> onOneMachine(net, part, n),
        (a, b) -> a.plus(1, b));
  }

  /** A sum over the parts in their order, which gives the same bits each time. */
  private static <T> T sum(JavaRDD<Part> parts, Function<Part, T> ofPart, BinaryOperator<T> plus) {
    return parts.map(ofPart).collect().stream().reduce(plus).orElseThrow();
  }

  private static double[][] dw(Part part, double[][] dh) {
    return Matrix.product(Matrix.transposed(part.x), dh);
  }

  /** What each part needs to know of all others: the statistics of h. */
  private record Shared(Network net, ColumnStatistics h) implements Serializable {
    private BatchNormLayer norm() {
      return net.norm().populationRunningVar(true).runningStatistics(h).build();
    }

    Network gradientsWithoutW(Part part) {
      BatchNormLayer norm = norm();
      double[][] ofPart = Matrix.product(part.x, net.w);
      Behind behind = Behind.of(net, norm.infer(ofPart), part.labels, (int) h.rows());
      return behind.gradients(new double[0][], norm.inferBackward(ofPart, behind.dout));
    }

    double[][] dw(Part part, Network g) {
      BatchNormLayer norm = norm();
      double[][] ofPart = Matrix.product(part.x, net.w);
      Behind behind = Behind.of(net, norm.infer(ofPart), part.labels, (int) h.rows());
      return PartedTraining.dw(
          part, norm.inferBackward(ofPart, centered(behind.dout, ofPart, norm, g)).dx());
    }

    /** {@code dout - dbeta / N - xhat * dgamma / N}. */
    private double[][] centered(
        double[][] dout, double[][] ofPart, BatchNormLayer norm, Network g) {
      double[] mean = norm.runningMean();
      double[] var = norm.runningVar();
      double[][] centered = new double[dout.length][mean.length];
      for (int i = 0; i < dout.length; i++) {
        for (int j = 0; j < mean.length; j++) {
          double xhat = (ofPart[i][j] - mean[j]) / Math.sqrt(var[j] + norm.epsilon());
          centered[i][j] = dout[i][j] - (g.beta[j] + xhat * g.gamma[j]) / h.rows();
        }
      }
      return centered;
    }
  }

  /** The layers behind batch norm, forward and backward. */
  private record Behind(double loss, double[][] dv, double[] db, double[][] dout) {
    static Behind of(Network net, double[][] out, int[] labels, int n) {
      Sigmoid sigmoid = new Sigmoid();
      double[][] a = sigmoid.forward(out);
      double[][] scores = Matrix.product(a, net.v);
      for (double[] row : scores) {
        Matrix.addScaled(1, net.b, row);
      }
      double[][] dscores = SoftmaxCrossEntropy.gradient(scores, labels);
      double loss = 0;
      for (int i = 0; i < labels.length; i++) {
        // the gradient is of the mean over these rows; its entry at the label is (p - 1) / rows
        loss -= Math.log1p(dscores[i][labels[i]] * labels.length) / n;
        Matrix.addScaled((double) labels.length / n - 1, dscores[i].clone(), dscores[i]);
      }
      return new Behind(
          loss,
          Matrix.product(Matrix.transposed(a), dscores),
          Matrix.columnSums(dscores),
          sigmoid.backward(Matrix.product(dscores, Matrix.transposed(net.v))));
    }

    Network gradients(double[][] dw, BatchNormGradients norm) {
      return new Network(loss, dw, dv, db, norm.dgamma(), norm.dbeta());
    }
  }
}
