package io.github.batchnorm.benchmark;

import io.github.batchnorm.BatchNormGradients;
import java.util.stream.IntStream;

/**
 * No batch norm, but plain loops over the rows that one has to read and write: x for the
 * statistics, x again and out; dout and x for their sums, both again and dx. On all cores, each
 * with a share of the rows of its own. How near a contender comes to it says what the memory leaves
 * to be gained; no lower bound, as a batch norm may find rows in the caches that these loops read
 * again.
 */
final class Floor implements Contender {
  private final int threads = Runtime.getRuntime().availableProcessors();
  private double[][] x;
  private double[][] dout;
  private double[][] out;
  private double[][] dx;
  private double[][] sums;

  @Override
  public void prepare(Batch batch) {
    x = batch.x();
    dout = batch.dout();
    out = new double[x.length][x[0].length];
    dx = new double[x.length][x[0].length];
    sums = new double[threads][x[0].length];
  }

  @Override
  public void forward() {
    inShares(this::addRows);
    inShares((sum, first, end) -> copyRows(first, end));
  }

  @Override
  public void backward() {
    inShares(this::addPairsOfRows);
    inShares((sum, first, end) -> addIntoRows(first, end));
  }

  private interface Share {
    void accept(double[] sums, int first, int end);
  }

  /** In parallel if it takes long enough: the same bound as the library's. */
  private void inShares(Share share) {
    int n = x.length;
    if ((long) n * x[0].length < 1 << 16) {
      share.accept(sums[0], 0, n);
      return;
    }
    IntStream.range(0, threads)
        .parallel()
        .forEach(t -> share.accept(sums[t], n * t / threads, n * (t + 1) / threads));
  }

  private void addRows(double[] sums, int first, int end) {
    int i = first;
    for (; i + 4 <= end; i += 4) {
      add(x[i], x[i + 1], x[i + 2], x[i + 3], sums);
    }
    for (; i < end; i++) {
      add(x[i], x[i], sums);
    }
  }

  private void copyRows(int first, int end) {
    for (int i = first; i < end; i++) {
      System.arraycopy(x[i], 0, out[i], 0, x[i].length);
    }
  }

  private void addPairsOfRows(double[] sums, int first, int end) {
    int i = first;
    for (; i + 2 <= end; i += 2) {
      add(dout[i], x[i], dout[i + 1], x[i + 1], sums);
    }
    for (; i < end; i++) {
      add(dout[i], x[i], sums);
    }
  }

  private void addIntoRows(int first, int end) {
    for (int i = first; i < end; i++) {
      addInto(dout[i], x[i], dx[i]);
    }
  }

  private static void add(double[] a, double[] b, double[] c, double[] d, double[] sums) {
    for (int j = 0; j < sums.length; j++) {
      sums[j] += (a[j] + b[j]) + (c[j] + d[j]);
    }
  }

  private static void add(double[] a, double[] b, double[] sums) {
    for (int j = 0; j < sums.length; j++) {
      sums[j] += a[j] + b[j];
    }
  }

  private static void addInto(double[] a, double[] b, double[] sum) {
    for (int j = 0; j < sum.length; j++) {
      sum[j] = a[j] + b[j];
    }
  }

  @Override
  public double[][] out() {
    return out;
  }

  @Override
  public BatchNormGradients gradients() {
    return new BatchNormGradients(dx, sums[0], sums[0]);
  }
}
