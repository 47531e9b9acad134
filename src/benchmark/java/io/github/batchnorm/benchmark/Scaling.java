package io.github.batchnorm.benchmark;

import io.github.batchnorm.BatchNormLayer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * Time per element against the number of elements, 10^3 to 10^8: first N grows, then D.
 *
 * <pre>{@code
 * mvn -q -f src/benchmark test-compile exec:exec -Dargs=--scaling
 * }</pre>
 *
 * <p>Medians of System.nanoTime over forward and backward, with output buffers. To save memory dx
 * is dout, and dout is out: two matrices of 800 MB at the most, and a third for the cached graph.
 */
final class Scaling {
  private static final int FIXED = 100;
  private static final int LARGEST = 1_000_000;
  private static final long SEED = 20161;
  private static final long WARM_UP_NANOS = 300_000_000;
  private static final long NANOS = 500_000_000;
  private static final int MIN_CALLS = 3;
  private static final List<String> HEAD = List.of("N x D", "one thread", "all cores");

  private Scaling() {}

  /** Prints both tables. */
  static void run() {
    Surroundings.print();
    Table rows = new Table(HEAD);
    Table columns = new Table(HEAD);
    for (int d : List.of(10, FIXED, 10 * FIXED)) { // the first would pay for the compiler
      measure(FIXED, d);
    }
    for (int grown = 10; grown <= LARGEST; grown *= 10) {
      rows.add(shown(measure(grown, FIXED)));
      columns.add(shown(measure(FIXED, grown)));
    }
    rows.print("forward and backward, nanoseconds per element, N grows");
    columns.print("forward and backward, nanoseconds per element, D grows");
  }

  private static List<String> measure(int n, int d) {
    double[][] x = random(n, d);
    double[][] out = new double[n][d];
    List<String> row = new ArrayList<>(List.of(n + "x" + d));
    for (boolean parallel : new boolean[] {false, true}) {
      BatchNormLayer layer = BatchNormLayer.builder(d).parallel(parallel).build();
      medianNanos(layer, x, out, WARM_UP_NANOS);
      double nanos = medianNanos(layer, x, out, NANOS) / ((double) n * d);
      row.add(String.format(Locale.ROOT, "%.2f", nanos));
    }
    return row;
  }

  private static List<String> shown(List<String> row) {
    System.out.println(String.join("  ", row));
    return row;
  }

  private static double medianNanos(BatchNormLayer layer, double[][] x, double[][] out, long time) {
    long[] nanos = new long[MIN_CALLS];
    int calls = 0;
    long start = System.nanoTime();
    for (long t = start; calls < MIN_CALLS || t - start < time; calls++) {
      if (calls == nanos.length) {
        nanos = Arrays.copyOf(nanos, 2 * calls);
      }
      layer.forward(x, out);
      layer.backward(out, out);
      long end = System.nanoTime();
      nanos[calls] = end - t;
      t = end;
    }
    Arrays.sort(nanos, 0, calls);
    return nanos[calls / 2];
  }

  private static double[][] random(int n, int d) {
    double[] values =
        new Random(SEED).doubles(4099, -1, 1).toArray(); // a prime: 4,099 different rows
    double[][] x = new double[n][d];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < d; j++) {
        x[i][j] = values[(int) (((long) i * d + j) % values.length)];
      }
    }
    return x;
  }
}
