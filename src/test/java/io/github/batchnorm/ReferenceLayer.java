package io.github.batchnorm;

import static io.github.batchnorm.TestData.combine;
import static io.github.batchnorm.TestData.copy;
import static io.github.batchnorm.TestData.rows;

import java.util.Arrays;

/**
 * What a layer should do, in the plainest words: {@link NaiveGraph} for training, the formulas for
 * the rest. Knows nothing of buffers and threads, and takes good arguments only.
 */
final class ReferenceLayer {
  final double[] gamma;
  final double[] beta;
  final double[] runningMean;
  final double[] runningVar;
  long batchesTracked;

  private final double epsilon;
  private final double smoothingFactor; // 0: the average over all batches

  /** Null if there is no graph. */
  NaiveGraph graph;

  ReferenceLayer(double[] gamma, double[] beta, double epsilon, double smoothingFactor) {
    this.gamma = gamma.clone();
    this.beta = beta.clone();
    this.epsilon = epsilon;
    this.smoothingFactor = smoothingFactor;
    runningMean = new double[gamma.length];
    runningVar = new double[gamma.length];
    Arrays.fill(runningVar, 1);
  }

  double[][] forward(double[][] x) {
    int n = x.length;
    graph = new NaiveGraph(copy(x), gamma.clone(), beta.clone(), epsilon);
    batchesTracked++;
    double a = smoothingFactor == 0 ? 1.0 / batchesTracked : smoothingFactor;
    for (int j = 0; j < gamma.length; j++) {
      runningMean[j] = (1 - a) * runningMean[j] + a * graph.mu[j];
      runningVar[j] = (1 - a) * runningVar[j] + a * graph.var[j] * n / (n - 1);
    }
    return graph.out;
  }

  NaiveGraph backward(double[][] dout) {
    return graph.backward(dout, NaiveGraph.Mutant.NONE);
  }

  double[] runningIvar() {
    return Arrays.stream(runningVar).map(v -> 1 / Math.sqrt(v + epsilon)).toArray();
  }

  private double[][] xhat(double[][] x) {
    double[][] xmu = combine(x, rows(x.length, runningMean), (a, m) -> a - m);
    return combine(xmu, rows(x.length, runningIvar()), (a, i) -> a * i);
  }

  double[][] infer(double[][] x) {
    double[][] gammax = combine(xhat(x), rows(x.length, gamma), (a, g) -> a * g);
    return combine(gammax, rows(x.length, beta), Double::sum);
  }

  BatchNormGradients inferBackward(double[][] x, double[][] dout) {
    double[][] xhat = xhat(x);
    double[] scale = combine(gamma, runningIvar(), (g, i) -> g * i);
    double[] dgamma = new double[gamma.length];
    double[] dbeta = new double[gamma.length];
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < gamma.length; j++) {
        dgamma[j] += dout[i][j] * xhat[i][j];
        dbeta[j] += dout[i][j];
      }
    }
    double[][] dx = combine(dout, rows(x.length, scale), (g, s) -> g * s);
    return new BatchNormGradients(dx, dgamma, dbeta);
  }
}
