package io.github.batchnorm;

import static io.github.batchnorm.TestData.combine;
import static io.github.batchnorm.TestData.largest;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The state of a layer, and comparisons bit for bit: {@link Double#equals} tells 0 from -0 and
 * takes NaN for equal to itself, which {@code isDeepEqualTo} of AssertJ does not.
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

  /** The layers have the same state now, and after every call on either; one of all is made. */
  static void assertGoOnAlike(BatchNormLayer actual, BatchNormLayer expected, Problem p) {
    assertThat(of(actual)).isEqualTo(of(expected));
    assertSameBits(actual.infer(p.x()), expected.infer(p.x()));
    assertSameBits(actual.inferBackward(p.x(), p.dout()), expected.inferBackward(p.x(), p.dout()));
    assertSameBits(actual.forward(p.x()), expected.forward(p.x()));
    assertSameGraph(actual, expected, p.dout());
    assertThat(of(actual)).isEqualTo(of(expected));
  }

  /** The layers have the graph of the same forward. */
  static void assertSameGraph(BatchNormLayer actual, BatchNormLayer expected, double[][] dout) {
    assertSameBits(actual.graph(), expected.graph());
    assertSameBits(actual.backward(dout), expected.backward(dout));
  }

  static List<Double> bits(double[] values) {
    return Arrays.stream(values).boxed().toList();
  }

  static List<List<Double>> bits(double[][] rows) {
    return Arrays.stream(rows).map(Snapshot::bits).toList();
  }

  static List<Object> bits(Record nodes) {
    return List.copyOf(bits(arrays(nodes).toArray(double[][]::new)));
  }

  /** Every row of a graph, of a backwardGraph or of gradients. */
  static List<double[]> arrays(Record nodes) {
    List<double[]> arrays = new ArrayList<>();
    for (RecordComponent node : nodes.getClass().getRecordComponents()) {
      arrays.addAll(List.of(rows(node, nodes)));
    }
    return arrays;
  }

  private static double[][] rows(RecordComponent node, Record nodes) {
    try {
      Object array = node.getAccessor().invoke(nodes);
      return array instanceof double[] row ? new double[][] {row} : (double[][]) array;
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  /** Every bit is the same. If not, the message is one value, not a million of them. */
  static void assertSameBits(double[][] actual, double[][] expected) {
    assertSameBits("", actual, expected);
  }

  /** Two graphs, backward graphs or gradients: every bit of every array is the same. */
  static void assertSameBits(Record actual, Record expected) {
    for (RecordComponent node : expected.getClass().getRecordComponents()) {
      assertSameBits(node.getName(), rows(node, actual), rows(node, expected));
    }
  }

  /** The same, every value within {@code tolerance} of the largest magnitude in its array. */
  static void assertClose(Record actual, Record expected, double tolerance) {
    for (RecordComponent node : expected.getClass().getRecordComponents()) {
      double[][] rows = rows(node, expected);
      double[][] differences = combine(rows(node, actual), rows, (a, b) -> a - b);
      assertThat(largest(differences))
          .as("the largest difference in %s", node.getName())
          .isLessThanOrEqualTo(Math.max(1e-300, tolerance * largest(rows)));
    }
  }

  private static void assertSameBits(String name, double[][] actual, double[][] expected) {
    assertThat(actual.length).as("rows of %s", name).isEqualTo(expected.length);
    for (int i = 0; i < expected.length; i++) {
      int j = Arrays.mismatch(actual[i], expected[i]); // compares as Double.equals does
      if (j >= 0) {
        assertThat(actual[i]).as("%s[%d]", name, i).hasSameSizeAs(expected[i]);
        throw new AssertionError(
            "%s[%d][%d] is %s, expected %s".formatted(name, i, j, actual[i][j], expected[i][j]));
      }
    }
  }
}
