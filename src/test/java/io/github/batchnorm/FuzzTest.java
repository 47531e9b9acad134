package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.arrays;
import static io.github.batchnorm.Snapshot.assertSameBits;
import static io.github.batchnorm.TestData.column;
import static io.github.batchnorm.TestData.copy;
import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestData.largest;
import static io.github.batchnorm.TestData.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/**
 * Random sequences of good and bad calls on several layers at once, of odd shapes and values. After
 * each call the result and the state are those of {@link ReferenceLayer}; a bad call throws what
 * the contract says, and changes nothing.
 *
 * <pre>{@code
 * mvn test -Dtest=FuzzTest                    seeds 1 to 400, 5 to 20 seconds
 * mvn test -Dtest=FuzzTest -Dfuzz.seconds=600 seeds from 1 on, for 10 minutes
 * mvn test -Dtest=FuzzTest -Dfuzz.seed=17     one seed, to see again what failed
 * }</pre>
 */
class FuzzTest {
  private static final long SEEDS = 400;
  private static final int LAYERS = 3;
  private static final int CALLS = 30;
  private static final int PROGRESS_SECONDS = 10;

  /** Differences in the order of additions; the reference has a plain mean. */
  private static final double TOLERANCE = 1e-9;

  /** Below, doubles have few digits or none. */
  private static final double TINY = 1e-290;

  /**
   * The variance that the plain mean of the reference leaves to a constant of 50: (50 * 2^-52)².
   */
  private static final double OF_A_CONSTANT = 1.3e-28;

  @Test
  void calls_in_any_order_do_what_the_reference_does() {
    Long seed = Long.getLong("fuzz.seed");
    if (seed != null) {
      run(seed);
      return;
    }
    long seconds = Long.getLong("fuzz.seconds", 0);
    long start = System.nanoTime();
    long shown = 0;
    for (long s = 1; seconds == 0 ? s <= SEEDS : elapsed(start) < seconds; s++) {
      run(s);
      if (elapsed(start) >= shown + PROGRESS_SECONDS) {
        shown = elapsed(start);
        String progress =
            seconds == 0
                ? "fuzz: %d of %d seeds in %d s%n".formatted(s, SEEDS, shown)
                : "fuzz: %d seeds in %d of %d s%n".formatted(s, shown, seconds);
        System.out.print(progress);
      }
    }
  }

  private static long elapsed(long start) {
    return (System.nanoTime() - start) / 1_000_000_000;
  }

  private static void run(long seed) {
    Random random = new Random(seed);
    List<Pair> pairs = new ArrayList<>();
    for (int l = 0; l < LAYERS; l++) {
      pairs.add(new Pair(random));
    }
    for (int call = 0; call < CALLS; call++) {
      Pair pair = pairs.get(random.nextInt(LAYERS));
      try {
        pair.call();
        pair.assertSameState();
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError(
            "fuzz.seed=%d, call %d (%s) on %s".formatted(seed, call, pair.name, pair.settings), e);
      }
    }
  }

  /** A layer and what it should be. */
  private static final class Pair {
    private static final int[] WIDTHS = {1, 1, 2, 3, 5, 16, 64, 65, 200};

    /** Around the sizes where the grid begins another strip, another tile or other threads. */
    private static final int[][] LARGE = {
      {65535, 1},
      {65536, 1},
      {70001, 1},
      {7281, 9},
      {8193, 9}, // 65,536 values: several threads
      {64, 512},
      {65, 512},
      {64, 513}, // one tile, two tiles, two strips
      {64, 1024},
      {65, 1024},
      {65, 1025}, // two strips, one of 3 tiles, two of two tiles
      {32, 1025},
      {2, 40000},
      {60, 1500},
      {300, 300}
    };

    private final Random random;
    private final int n;
    private final int d;
    private final String settings;
    private BatchNormLayer layer;
    private final ReferenceLayer reference;
    private String name;

    Pair(Random random) {
      this.random = random;
      int[] large = LARGE[random.nextInt(LARGE.length)];
      boolean isLarge = random.nextInt(20) == 0;
      n = isLarge ? large[0] : 2 + random.nextInt(random.nextBoolean() ? 4 : 40);
      d = isLarge ? large[1] : WIDTHS[random.nextInt(WIDTHS.length)];
      boolean parallel = random.nextInt(4) > 0;
      double epsilon = random.nextBoolean() ? 1e-5 : Math.pow(10, -1 - random.nextInt(11));
      double smoothing = random.nextInt(3) == 0 ? 0 : 1 - random.nextDouble();
      double[] gamma = values(d, random.nextInt(5) == 0 ? 0 : 1);
      double[] beta = values(d, 1);
      BatchNormLayer.Builder builder =
          BatchNormLayer.builder(d).gamma(gamma).beta(beta).epsilon(epsilon).parallel(parallel);
      layer =
          (smoothing == 0 ? builder.cumulativeAverage() : builder.smoothingFactor(smoothing))
              .build();
      reference = new ReferenceLayer(gamma, beta, epsilon, smoothing);
      settings =
          "%d x %d, parallel(%s), epsilon %s, smoothing %s"
              .formatted(n, d, parallel, epsilon, smoothing);
    }

    private double[] values(int count, double scale) {
      double[] values = gaussian(random, count);
      Arrays.setAll(values, j -> values[j] * scale);
      return values;
    }

    /** Columns of all sorts, none of which a plain mean spoils. */
    private double[][] input(int rows) {
      double[][] x = new double[rows][d];
      for (int j = 0; j < d; j++) {
        double mean = random.nextInt(3) == 0 ? 0 : 10 * random.nextGaussian();
        double spread =
            switch (random.nextInt(9)) {
              case 0 -> 0;
              case 1 -> 1e-300;
              case 2 -> Double.MIN_VALUE;
              case 3 -> 1e-5;
              case 4 -> 1e6;
              case 5 -> 1e120;
              default -> 1;
            };
        if (spread < 1e-100) {
          mean = spread == 0 ? mean : -0.0;
        }
        for (int i = 0; i < rows; i++) {
          x[i][j] = mean + spread * (spread < 1e-310 ? random.nextInt(9) : random.nextGaussian());
        }
      }
      if (random.nextInt(4) == 0) {
        x[rows - 1] = x[0]; // the same row twice
      }
      return x;
    }

    private double[][] upstream(int rows) {
      return gaussian(random, rows, d);
    }

    private int rows() {
      return random.nextInt(5) == 0 ? n + 1 : n;
    }

    void call() {
      name = "none";
      switch (random.nextInt(13)) {
        case 0, 1, 2 -> forward();
        case 3, 4 -> backward();
        case 5 -> infer();
        case 6 -> inferBackward();
        case 7 -> graph();
        case 8 -> update();
        case 9 -> writeIntoWhatWasHandedOut();
        case 10 -> saveAndLoad();
        case 11 -> bad();
        default -> {
          if (random.nextBoolean()) {
            badInPlace();
          } else {
            badParameter();
          }
        }
      }
    }

    private void forward() {
      double[][] x = input(rows());
      double[][] expected = reference.forward(x);
      double[][] out = into("forward", x, layer::forward, layer::forward);
      assertClose(out, expected, scale(reference.gamma, reference.beta));
    }

    /** The call into a new matrix, or into one of the caller's. Writes no other row. */
    private <T> T into(
        String call,
        double[][] in,
        Function<double[][], T> intoNew,
        BiFunction<double[][], double[][], T> intoOutput) {
      name = call;
      double[][] before = copy(in);
      double[][] output = random.nextBoolean() ? output(in) : new double[in.length][];
      T result = output[0] == null ? intoNew.apply(in) : intoOutput.apply(in, output);
      for (int i = 0; i < in.length; i++) {
        if (output[i] != in[i] && !Arrays.equals(in[i], before[i])) {
          throw new AssertionError("row " + i + " of the input was written");
        }
      }
      return result;
    }

    private double[][] output(double[][] in) {
      boolean repeatsARow = in.length > 1 && in[in.length - 1] == in[0];
      int kind = random.nextInt(1 + InPlace.values().length);
      if (kind == 0 || repeatsARow) {
        name += " into rows of its own";
        return upstream(in.length);
      }
      InPlace inPlace = InPlace.values()[kind - 1];
      name += " into " + inPlace;
      return inPlace.output(in);
    }

    private double[] scale(double[] a, double[] b) {
      double[] scale = new double[d];
      Arrays.setAll(scale, j -> 10 * (Math.abs(a[j]) + Math.abs(b[j])) * Math.sqrt(n + 1));
      return scale;
    }

    private void backward() {
      double[][] dout = upstream(graphRows());
      if (reference.graph == null) {
        name = "backward without a graph";
        refuses(IllegalStateException.class, () -> layer.backward(dout), true);
        refuses(IllegalStateException.class, () -> layer.backwardGraph(dout), true);
        refuses(IllegalStateException.class, layer::graph, true);
        return;
      }
      NaiveGraph expected = reference.backward(copy(dout));
      BatchNormGradients actual;
      if (random.nextInt(4) == 0) {
        name = "backwardGraph";
        BatchNormBackwardGraph backwardGraph = layer.backwardGraph(dout);
        actual =
            new BatchNormGradients(
                backwardGraph.dx(), backwardGraph.dgamma(), backwardGraph.dbeta());
      } else {
        actual = into("backward", dout, layer::backward, layer::backward);
      }
      double[] scale = new double[d];
      Arrays.setAll(scale, j -> 10 * Math.abs(reference.graph.ivar[j] * reference.gamma[j]));
      // gamma may have been changed since that forward
      Arrays.setAll(scale, j -> Math.max(scale[j], largest(column(expected.dxmu1, j))));
      assertClose(actual.dx(), expected.dx, scale);
      assertClose(actual.dgamma(), expected.dgamma, 10.0 * dout.length);
      assertClose(actual.dbeta(), expected.dbeta, 10.0 * dout.length);
    }

    private void infer() {
      double[][] x = input(1 + random.nextInt(rows()));
      if (random.nextInt(4) == 0) {
        x[0][random.nextInt(d)] = 1e300 * random.nextGaussian();
      }
      double[][] expected = reference.infer(x);
      double[][] before = copy(x);
      double[][] out = into("infer", x, layer::infer, layer::infer);
      double[] ivar = reference.runningIvar();
      double[] scale = new double[d]; // the summands of out
      Arrays.setAll(
          scale,
          j ->
              xmu(before, j) * Math.abs(reference.gamma[j]) * ivar[j]
                  + Math.abs(reference.beta[j]));
      assertClose(out, expected, scale);
    }

    /** An upper bound for |x - mean| in inference. */
    private double xmu(double[][] x, int j) {
      return largest(column(x, j)) + Math.abs(reference.runningMean[j]);
    }

    private void inferBackward() {
      name = "inferBackward";
      double[][] x = input(1 + random.nextInt(rows()));
      double[][] dout = upstream(x.length);
      BatchNormGradients expected = reference.inferBackward(x, dout);
      BatchNormGradients actual = layer.inferBackward(x, dout);
      double[] scale = new double[d];
      Arrays.setAll(scale, j -> largest(column(expected.dx(), j)));
      assertClose(actual.dx(), expected.dx(), scale);
      assertClose(actual.dbeta(), expected.dbeta(), 10.0 * x.length);
      double[] ivar = reference.runningIvar();
      Arrays.setAll(scale, j -> 10 * x.length * xmu(x, j) * ivar[j]);
      assertClose(actual.dgamma(), expected.dgamma(), scale);
    }

    private void graph() {
      if (reference.graph == null) {
        return;
      }
      name = "graph";
      BatchNormGraph graph = layer.graph();
      NaiveGraph expected = reference.graph;
      double[] spread = expected.sqrtvar;
      double[] magnitude = new double[d];
      Arrays.setAll(magnitude, j -> spread[j] + Math.abs(expected.mu[j]));
      double[] one = new double[d];
      Arrays.fill(one, 10 * Math.sqrt(n + 1));
      double[] square = new double[d];
      Arrays.setAll(square, j -> 100 * magnitude[j] * magnitude[j] * (n + 1));
      assertClose(graph.mu(), expected.mu, magnitude);
      assertClose(graph.var(), expected.var, square);
      assertClose(graph.sqrtvar(), expected.sqrtvar, magnitude);
      assertClose(graph.ivar(), expected.ivar, expected.ivar);
      assertClose(graph.xmu(), expected.xmu, magnitude);
      assertClose(graph.sq(), expected.sq, square);
      assertClose(graph.xhat(), expected.xhat, one);
    }

    /** What an optimizer does. */
    private void update() {
      name = "update";
      for (int j = 0; j < d; j++) {
        double step = 0.1 * random.nextGaussian();
        layer.gamma()[j] += step;
        layer.beta()[j] -= step;
        reference.gamma[j] += step;
        reference.beta[j] -= step;
      }
    }

    /** A layer that goes on where this one has been. */
    private void saveAndLoad() {
      name = "copy or state";
      BatchNormLayer before = layer;
      layer = random.nextBoolean() ? layer.copy() : BatchNormLayer.of(layer.state());
      assertThat(layer.state()).isEqualTo(before.state());
      reference.graph = null;
    }

    private void writeIntoWhatWasHandedOut() {
      name = "writing into what was handed out";
      List<double[]> handedOut = new ArrayList<>();
      handedOut.add(layer.runningMean());
      handedOut.add(layer.runningVar());
      handedOut.addAll(List.of(layer.infer(input(n))));
      if (reference.graph != null) {
        double[][] dout = upstream(graphRows());
        handedOut.addAll(arrays(layer.graph()));
        handedOut.addAll(arrays(layer.backwardGraph(dout)));
        handedOut.addAll(arrays(layer.backward(dout)));
      }
      handedOut.forEach(array -> Arrays.fill(array, 4242));
    }

    /** One of all calls that are refused for an argument. */
    private void bad() {
      double[][] x = input(graphRows());
      List<BadCall> all =
          BadCall.all(new Problem(x, upstream(x.length), reference.gamma, reference.beta));
      BadCall bad = all.get(random.nextInt(all.size()));
      name = bad.toString();
      if (reference.graph == null && bad.isBackward()) {
        refuses(IllegalStateException.class, () -> bad.call().accept(layer), true);
      } else {
        changesNothing(() -> bad.assertRefusedBy(layer), !bad.isForward());
      }
    }

    private void badInPlace() {
      name = "in place, of a value that is not finite";
      double[] values = {Double.NaN, 1 / 0.0, -1 / 0.0};
      double value = values[random.nextInt(values.length)];
      int i = random.nextInt(graphRows());
      int j = random.nextInt(d);
      double[][] x = with(input(graphRows()), i, j, value);
      if (reference.graph != null) {
        refusesInPlace(with(upstream(x.length), i, j, value), layer::backward, true);
      }
      refusesInPlace(x, layer::infer, true);
      refusesInPlace(x, layer::forward, false);
    }

    private void badParameter() {
      name = "a gamma that is not finite";
      double[][] x = input(n);
      int j = random.nextInt(d);
      double good = layer.gamma()[j];
      layer.gamma()[j] = Double.NaN;
      refuses(IllegalArgumentException.class, () -> layer.infer(x), true);
      refuses(IllegalArgumentException.class, () -> layer.forward(x), false);
      layer.gamma()[j] = good;
    }

    /** The rows that a dout must have, if there is a graph. */
    private int graphRows() {
      return reference.graph == null ? n : reference.graph.out.length;
    }

    /** The call throws, and writes neither its input nor an output that counts as its input. */
    private void refusesInPlace(
        double[][] in, BiFunction<double[][], double[][], ?> call, boolean keepsGraph) {
      double[][] input = copy(in);
      double[][] output = InPlace.values()[random.nextInt(InPlace.values().length)].output(input);
      double[][] outputBefore = copy(output);
      refuses(IllegalArgumentException.class, () -> call.apply(input, output), keepsGraph);
      assertSameBits(input, in);
      assertSameBits(output, outputBefore);
    }

    private void refuses(
        Class<? extends RuntimeException> type, ThrowingCallable call, boolean keepsGraph) {
      changesNothing(
          () -> assertThatThrownBy(call).isExactlyInstanceOf(type).message().isNotBlank(),
          keepsGraph);
    }

    /** The call throws, and changes nothing; but a forward takes the graph away. */
    private void changesNothing(Runnable call, boolean keepsGraph) {
      Snapshot before = Snapshot.of(layer);
      call.run();
      assertThat(Snapshot.of(layer)).isEqualTo(before);
      if (!keepsGraph) {
        reference.graph = null;
      }
    }

    void assertSameState() {
      assertThat(layer.gamma()).isEqualTo(reference.gamma);
      assertThat(layer.beta()).isEqualTo(reference.beta);
      assertThat(layer.batchesTracked()).isEqualTo(reference.batchesTracked);
      double[] mean = layer.runningMean();
      double[] var = layer.runningVar();
      for (int j = 0; j < d; j++) {
        double size = Math.abs(reference.runningMean[j]) + Math.sqrt(reference.runningVar[j]);
        assertThat(Math.abs(mean[j] - reference.runningMean[j]))
            .isLessThanOrEqualTo(TOLERANCE * size + TINY);
        assertThat(Math.abs(var[j] - reference.runningVar[j]))
            .isLessThanOrEqualTo(TOLERANCE * reference.runningVar[j] + OF_A_CONSTANT);
      }
      if (reference.graph == null) {
        assertThatThrownBy(layer::graph).isInstanceOf(IllegalStateException.class);
      }
    }

    private static void assertClose(double[] actual, double[] expected, double scale) {
      double[] scales = new double[actual.length];
      Arrays.fill(scales, scale);
      assertClose(actual, expected, scales);
    }

    private static void assertClose(double[] actual, double[] expected, double[] scale) {
      assertClose(new double[][] {actual}, new double[][] {expected}, scale);
    }

    /** Each column within the tolerance of its scale. */
    private static void assertClose(double[][] actual, double[][] expected, double[] scale) {
      assertThat(actual.length).isEqualTo(expected.length);
      for (int i = 0; i < expected.length; i++) {
        for (int j = 0; j < expected[i].length; j++) {
          if (!(Math.abs(actual[i][j] - expected[i][j]) <= TOLERANCE * scale[j] + TINY)) {
            throw new AssertionError(
                "[%d][%d] is %s, expected %s within %s"
                    .formatted(i, j, actual[i][j], expected[i][j], TOLERANCE * scale[j]));
          }
        }
      }
    }
  }
}
