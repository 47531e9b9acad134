package io.github.batchnorm;

import static io.github.batchnorm.TestData.filled;
import static io.github.batchnorm.TestData.rows;
import static io.github.batchnorm.TestData.with;
import static io.github.batchnorm.TestData.withColumn;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A call that the contract refuses because of an argument: what it throws, with the whole message.
 */
record BadCall(
    String method,
    Consumer<BatchNormLayer> call,
    Class<? extends RuntimeException> type,
    String message) {

  private static final double MAX = Double.MAX_VALUE;

  /**
   * Every such call on a layer that was trained with a mini-batch of the shape of the problem's.
   * Each method gets one bad argument; the others are those of the problem.
   */
  static List<BadCall> all(Problem p) {
    List<Bad> x = badX(p, 1);
    List<Bad> batch = badX(p, 2);
    List<Bad> dout = badDout("in the last forward", p);
    List<Bad> out = badShapes("out", "x", p.x());
    List<Bad> dx = badShapes("dx", "dout", p.dout());
    return Stream.of(
            calls("forward", batch, (layer, bad) -> layer.forward(bad)),
            calls("forward into", batch, (layer, bad) -> layer.forward(bad, p.zeros())),
            calls("forward into", out, (layer, bad) -> layer.forward(p.x(), bad)),
            calls("backward", dout, (layer, bad) -> layer.backward(bad)),
            calls("backward", tooLarge(p), (layer, bad) -> layer.backward(bad)),
            calls("backward into", dout, (layer, bad) -> layer.backward(bad, p.zeros())),
            calls("backward into", dx, (layer, bad) -> layer.backward(p.dout(), bad)),
            calls("backwardGraph", dout, (layer, bad) -> layer.backwardGraph(bad)),
            calls("infer", x, (layer, bad) -> layer.infer(bad)),
            calls("infer into", x, (layer, bad) -> layer.infer(bad, p.zeros())),
            calls("infer into", out, (layer, bad) -> layer.infer(p.x(), bad)),
            calls("inferBackward", x, (layer, bad) -> layer.inferBackward(bad, p.dout())),
            calls(
                "inferBackward", badDout("x", p), (layer, bad) -> layer.inferBackward(p.x(), bad)),
            calls(
                "inferBackward",
                tooLarge(p), // xhat = 0, so that dgamma is 0
                (layer, bad) -> layer.inferBackward(rows(p.n(), layer.runningMean()), bad)))
        .flatMap(calls -> calls)
        .toList();
  }

  boolean isForward() {
    return method.startsWith("forward");
  }

  boolean isBackward() {
    return method.startsWith("backward");
  }

  void assertRefusedBy(BatchNormLayer layer) {
    assertThatThrownBy(() -> call.accept(layer)).isExactlyInstanceOf(type).hasMessage(message);
  }

  @Override
  public String toString() {
    return method + ": " + message;
  }

  /** A matrix that is refused. It is made when it is needed: there are many, and some are large. */
  private record Bad(
      Supplier<double[][]> matrix, Class<? extends RuntimeException> type, String message) {
    static Bad isNull(String what, Supplier<double[][]> matrix) {
      return new Bad(matrix, NullPointerException.class, what);
    }

    static Bad illegal(String message, Supplier<double[][]> matrix) {
      return new Bad(matrix, IllegalArgumentException.class, message);
    }
  }

  private static Stream<BadCall> calls(
      String method, List<Bad> matrices, BiConsumer<BatchNormLayer, double[][]> call) {
    return matrices.stream()
        .map(
            bad ->
                new BadCall(
                    method, layer -> call.accept(layer, bad.matrix.get()), bad.type, bad.message));
  }

  private static List<Bad> badX(Problem p, int leastRows) {
    int d = p.d();
    List<Bad> all = badRows("x", p.x());
    all.add(Bad.illegal("x has 0 rows, expected at least " + leastRows, () -> new double[0][]));
    all.add(
        Bad.illegal("x[0] has " + (d + 5) + " values, expected " + d, () -> new double[3][d + 5]));
    all.addAll(notFinite("x", p.x()));
    // ... and not for the overflow beside it
    Supplier<double[][]> tooFarApart = () -> withColumn(p.x(), 0, i -> i < p.n() - 1 ? MAX : -MAX);
    all.add(isNotFinite("x", p.n() - 1, d - 1, Double.NaN, tooFarApart));
    if (leastRows == 2) {
      all.add(
          Bad.illegal(
              "x has 1 row, expected at least 2: the variance of one row is 0 whatever it holds;"
                  + " merge it into another mini-batch, leave it out, or use infer",
              () -> new double[1][d]));
      all.add(overflow("mu of column 0 (-Infinity)", tooFarApart));
      // (1e200)² > 1.8e308
      all.add(overflow("var of column 0 (Infinity)", () -> with(p.x(), p.n() / 2, 0, 1e200)));
    }
    return all;
  }

  private static List<Bad> badDout(String like, Problem p) {
    List<Bad> all = badShapes("dout", like, p.dout());
    all.addAll(notFinite("dout", p.dout()));
    return all;
  }

  /** Σ dout = 2e308. */
  private static List<Bad> tooLarge(Problem p) {
    Supplier<double[][]> dout = () -> with(with(p.dout(), 0, 0, 1e308), 1, 0, 1e308);
    return List.of(overflow("dbeta of column 0 (Infinity)", dout));
  }

  /** Another number of rows than that of the other argument, or bad rows. */
  private static List<Bad> badShapes(String name, String like, double[][] good) {
    int n = good.length;
    int d = good[0].length;
    String expected = "), expected (" + n + ", " + d + ") as " + like;
    List<Bad> all = badRows(name, good);
    String shape = name + " has shape (";
    all.add(Bad.illegal(shape + (n - 1) + ", " + d + expected, () -> new double[n - 1][d]));
    all.add(Bad.illegal(shape + (n + 1) + ", " + d + expected, () -> new double[n + 1][d]));
    all.add(Bad.illegal(shape + (n + 1) + ", 9" + expected, () -> new double[n + 1][9]));
    all.add(Bad.illegal(shape + "0, ?" + expected, () -> new double[0][]));
    all.add(Bad.illegal(shape + (n + 3) + ", ?" + expected, () -> new double[n + 3][]));
    return all;
  }

  /** No matrix, or one row of it that is null or has another length. */
  private static List<Bad> badRows(String name, double[][] good) {
    int d = good[0].length;
    List<Bad> all = new ArrayList<>();
    all.add(Bad.isNull(name + " is null", () -> null));
    for (int i : firstMiddleAndLast(good.length)) {
      String row = name + "[" + i + "]";
      all.add(
          Bad.isNull(
              row + " is null, expected a row of " + d, () -> with(good, i, (double[]) null)));
      IntStream.of(0, 1, d - 1, d + 1)
          .distinct()
          .filter(length -> length != d)
          .forEach(
              length ->
                  all.add(
                      Bad.illegal(
                          row
                              + " has "
                              + length
                              + (length == 1 ? " value" : " values")
                              + ", expected "
                              + d,
                          () -> with(good, i, new double[length]))));
    }
    return all;
  }

  private static List<Bad> notFinite(String name, double[][] good) {
    int last = good.length - 1;
    List<Bad> all = new ArrayList<>();
    for (double value : new double[] {Double.NaN, 1 / 0.0, -1 / 0.0}) {
      for (int i : firstMiddleAndLast(good.length)) {
        for (int j : firstMiddleAndLast(good[0].length)) {
          all.add(isNotFinite(name, i, j, value, () -> good));
        }
      }
      // the first of many, also of many whose sum is NaN
      all.add(isNotFinite(name, 0, 0, value, () -> filled(last + 1, good[0].length, value)));
      all.add(isNotFinite(name, 0, 0, value, () -> with(good, last, 0, -value)));
    }
    return all;
  }

  private static Bad isNotFinite(
      String name, int i, int j, double value, Supplier<double[][]> matrix) {
    return Bad.illegal(
        name + "[" + i + "][" + j + "] is " + value + ", expected a finite value",
        () -> with(matrix.get(), i, j, value));
  }

  private static Bad overflow(String node, Supplier<double[][]> matrix) {
    return Bad.illegal(node + " must be finite: it overflows", matrix);
  }

  private static int[] firstMiddleAndLast(int count) {
    return new int[] {0, count / 2, count - 1};
  }
}
