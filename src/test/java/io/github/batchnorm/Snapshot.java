package io.github.batchnorm;

import java.util.Arrays;
import java.util.List;

/**
 * The state of a layer, bit for bit: {@link Double#equals} tells 0 from -0 and takes NaN for equal
 * to itself, which {@code isDeepEqualTo} of AssertJ does not.
 */
record Snapshot(
    List<Double> gamma,
    List<Double> beta,
    List<Double> runningMean,
    List<Double> runningVar,
    long batchesTracked) {

  static Snapshot of(BatchNormLayer layer) {
    return new Snapshot(
        bits(layer.gamma()),
        bits(layer.beta()),
        bits(layer.runningMean()),
        bits(layer.runningVar()),
        layer.batchesTracked());
  }

  static List<Double> bits(double[] values) {
    return Arrays.stream(values).boxed().toList();
  }

  static List<List<Double>> bits(double[][] rows) {
    return Arrays.stream(rows).map(Snapshot::bits).toList();
  }

  static List<Object> bits(BatchNormGradients gradients) {
    return List.of(bits(gradients.dx()), bits(gradients.dgamma()), bits(gradients.dbeta()));
  }

  static List<Object> bits(BatchNormGraph graph) {
    return List.of(
        bits(graph.mu()),
        bits(graph.xmu()),
        bits(graph.sq()),
        bits(graph.var()),
        bits(graph.sqrtvar()),
        bits(graph.ivar()),
        bits(graph.xhat()));
  }
}
