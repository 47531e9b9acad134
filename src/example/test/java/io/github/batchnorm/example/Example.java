package io.github.batchnorm.example;

import io.github.batchnorm.BatchNormBackwardGraph;
import io.github.batchnorm.BatchNormGraph;
import io.github.batchnorm.BatchNormLayer;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** The mini-batches of the tests of the page. */
enum Example {
  WORKED_BY_HAND,
  RANDOM_5_BY_3_SEED_1,
  LARGEST,
  CONSTANT_COLUMN,
  HOSTILE_NUMBERS;

  GraphWalk walk() {
    Random random = new Random(1);
    return switch (this) {
      case WORKED_BY_HAND ->
          walk(
              new double[][] {{4, 3}, {4, 0}, {1, -6}},
              new double[][] {{1, 2}, {4, -1}, {1, 5}},
              BatchNormLayer.builder(2)
                  .gamma(new double[] {2, -4})
                  .beta(new double[] {1, 3})
                  .epsilon(2));
      case RANDOM_5_BY_3_SEED_1 ->
          walk(
              normal(random, 5, 3),
              normal(random, 5, 3),
              BatchNormLayer.builder(3).gamma(normal(random, 1, 3)[0]));
      case LARGEST -> walk(normal(random, 12, 8), normal(random, 12, 8), BatchNormLayer.builder(8));
      case CONSTANT_COLUMN ->
          walk(
              new double[][] {{1, 7}, {2, 7}, {4, 7}},
              new double[][] {{1, 2}, {4, -1}, {1, 5}},
              BatchNormLayer.builder(2).gamma(new double[] {0, 1}));
      case HOSTILE_NUMBERS -> hostile();
    };
  }

  private static GraphWalk walk(double[][] x, double[][] dout, BatchNormLayer.Builder layer) {
    return GraphWalk.of(layer.build(), "a test", List.of(), x, dout);
  }

  private static double[][] normal(Random random, int n, int d) {
    double[][] matrix = new double[n][d];
    for (double[] row : matrix) {
      Arrays.setAll(row, j -> random.nextGaussian());
    }
    return matrix;
  }

  /** No walk of a layer: the nodes have the same extreme values, and the source is an attack. */
  private static GraphWalk hostile() {
    double[] v = {-0.0, 1e-300, Double.MIN_VALUE, Double.MAX_VALUE, -Double.MAX_VALUE};
    double[][] m = {v, {0.1 + 0.2, 1e21, 123456789.125, -1e-7, 5}};
    return new GraphWalk(
        "</script><script>document.title = 'hacked'</script>{{values}}<!--",
        Double.MIN_VALUE,
        new double[] {1, 1, 1, -1, 1},
        v,
        List.of(),
        m,
        new BatchNormGraph(v, m, m, v, v, v, m),
        m,
        m,
        new BatchNormBackwardGraph(m, m, v, m, v, v, m, m, m, v, m, m, v, v));
  }

  /** All nodes by name; a vector is a matrix of one row. */
  Map<String, double[][]> nodes() {
    GraphWalk walk = walk();
    Map<String, double[][]> nodes = new LinkedHashMap<>();
    nodes.put("x", walk.x());
    nodes.put("gamma", new double[][] {walk.gamma()});
    nodes.put("beta", new double[][] {walk.beta()});
    nodes.put("gammax", walk.gammax());
    nodes.put("out", walk.out());
    nodes.put("dout", walk.dout());
    for (Record record : List.of(walk.graph(), walk.backwardGraph())) {
      for (RecordComponent node : record.getClass().getRecordComponents()) {
        nodes.put(node.getName(), matrix(record, node));
      }
    }
    return nodes;
  }

  private static double[][] matrix(Record record, RecordComponent node) {
    try {
      Object value = node.getAccessor().invoke(record);
      return value instanceof double[] vector ? new double[][] {vector} : (double[][]) value;
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }
}
