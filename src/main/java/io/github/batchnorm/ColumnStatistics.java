package io.github.batchnorm;

import java.io.InvalidObjectException;
import java.io.ObjectInputStream;
import java.io.Serial;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Objects;

/**
 * The mean and variance of each column over any number of rows, which may come in parts: the parts
 * of a data set, or of a mini-batch that is spread over several machines.
 *
 * <pre>{@code
 * mean = Σ x / N      var = Σ (x - mean)² / N      (population variance, divides by N)
 * }</pre>
 *
 * <pre>{@code
 * ColumnStatistics here = new ColumnStatistics(2).add(new double[][] {{4, 3}, {4, 0}});
 * ColumnStatistics there = new ColumnStatistics(2).add(new double[][] {{1, -6}});
 * ColumnStatistics all = here.combine(there);                  // rows 3, mean {3, -1}, var {2, 14}
 * }</pre>
 *
 * <p><b>Precise statistics.</b> A trained layer takes the statistics of the whole data set in place
 * of its running averages:
 *
 * <pre>{@code
 * double[][] batch = {{4, 3}, {4, 0}, {1, -6}};                // of many, what the layer gets
 * BatchNormLayer layer = new BatchNormLayer(2);
 * layer.forward(batch);                                        // and so on: training
 * ColumnStatistics all = new ColumnStatistics(2);
 * all.add(batch);                                              // each mini-batch once, at the end
 * layer.restore(BatchNormLayer.builder(layer.state()).runningStatistics(all).build().state());
 * }</pre>
 *
 * <p><b>A mini-batch in parts.</b> Combine the statistics of all parts. On every machine, build a
 * layer with {@code runningStatistics} of the whole and {@code populationRunningVar(true)}. The
 * {@code infer} of this layer gives the out of a part, and {@code inferBackward(x, dout)} its
 * dgamma and dbeta. The sums of these over all parts, Σdgamma and Σdbeta, are the gradients of the
 * mini-batch. The dx of {@code inferBackward(x, dout - Σdbeta / N - x̂ * Σdgamma / N)} is, up to
 * rounding, the part's dx in the mini-batch.
 *
 * <p><b>Digits.</b> The rows are taken in blocks of at most 64, and each {@link #add} begins a new
 * block. With M blocks in all, at most 2^40 of them, added and combined in any order, the error in
 * each column is at most
 *
 * <ul>
 *   <li>var: (105 + 32 log2 M) * 2^-53 of var.
 *   <li>mean: (19 + 3 log2 M) * 2^-53 of √var. The rounding of the mean to the nearest double comes
 *       on top.
 * </ul>
 *
 * <p>A constant column has exactly this constant as its mean, and exactly 0 as its variance. The
 * bounds hold as long as each product and quotient on the way is 1e-290 or larger in magnitude, or
 * exactly 0 because a factor is 0. The same calls in the same order give the same bits.
 *
 * <p><b>Memory.</b> 3 D numbers for each binary digit that is 1 in the number of blocks: at most 3
 * D (1 + log2 M). Serialization writes these numbers, and an object that was read back continues
 * with the same bits. A stream with impossible numbers is refused with an {@link
 * InvalidObjectException}.
 *
 * <p><b>Errors.</b> A call that throws changes nothing.
 *
 * <p><b>Threads.</b> An object of this class is for one thread at a time. Threads that work
 * together have one object each, and combine them at the end.
 *
 * @since 1.0
 * @serial exclude
 */
public final class ColumnStatistics implements Serializable {
  @Serial private static final long serialVersionUID = 1;

  /** A part of rank r has 2^r rows or more, and the number of all rows is a long. */
  private static final int RANKS = 63;

  private final int features;
  private transient boolean moderate = true; // if so, no sum can overflow

  /*
   * A binary counter of blocks. If its digit 2^r is 1, parts[r] is a part of 2^r blocks; if it is
   * 0, parts[r] is null. Two parts of the same rank are merged and carried to the next rank. So a
   * block goes through log2(M) merges, whether the blocks come one by one or as parts of another
   * counter.
   */
  private transient Part[] parts = new Part[RANKS];

  /**
   * Makes statistics of no rows.
   *
   * @param features D, the number of columns
   * @throws IllegalArgumentException if {@code features < 1}
   */
  public ColumnStatistics(int features) {
    Check.atLeast(1, "features", features);
    this.features = features;
  }

  /**
   * Adds rows.
   *
   * @param rows shape (n, D), {@code n >= 0}; not modified
   * @return this
   * @throws NullPointerException if {@code rows} or a row is null
   * @throws IllegalArgumentException if a row does not have D values; if a value is not finite; or
   *     if the mean of a column, its sum of squares Σ (x - mean)² or the number of rows overflows
   */
  public ColumnStatistics add(double[][] rows) {
    Check.rows("rows", rows, features);
    Check.sumOfRows(rows(), rows.length);
    Part[] sum = parts.clone();
    boolean allModerate = moderate;
    for (int first = 0, end; first < rows.length; first = end) {
      end = first + Math.min(Part.BLOCK_ROWS, rows.length - first);
      Part block = Part.ofBlock(rows, first, end);
      allModerate &= block.isModerate();
      count(block, 0, sum);
    }
    if (!allModerate) {
      Check.finite("rows", rows);
    }
    return keep(sum, allModerate);
  }

  /**
   * Adds the rows of other statistics.
   *
   * @param other statistics of D columns; not modified
   * @return this
   * @throws NullPointerException if {@code other} is null
   * @throws IllegalArgumentException if {@code other} does not have D columns; or if the mean of a
   *     column, its sum of squares or the number of rows overflows
   */
  public ColumnStatistics combine(ColumnStatistics other) {
    Check.statistics("other", other, features);
    return combine(other.parts, other.moderate);
  }

  private ColumnStatistics combine(Part[] others, boolean othersAreModerate) {
    Check.sumOfRows(rows(), rows(others));
    Part[] sum = parts.clone();
    for (int rank = 0; rank < RANKS; rank++) {
      if (others[rank] != null) {
        count(others[rank], rank, sum);
      }
    }
    return keep(sum, moderate && othersAreModerate);
  }

  private ColumnStatistics keep(Part[] sum, boolean allModerate) {
    if (!allModerate) {
      Part total = total(sum);
      Check.noOverflow("mean", total.mu());
      Check.noOverflow("sum of squares", total.sq());
    }
    parts = sum;
    moderate = allModerate;
    return this;
  }

  /** Adds 2^rank blocks to the counter. */
  private static void count(Part part, int rank, Part[] counter) {
    while (counter[rank] != null) {
      part = Part.merge(counter[rank], part);
      counter[rank] = null;
      rank++;
    }
    counter[rank] = part;
  }

  /** The part of all rows; null if there are none. */
  private static Part total(Part[] parts) {
    return Arrays.stream(parts).filter(Objects::nonNull).reduce(Part::merge).orElse(null);
  }

  /**
   * The number of columns.
   *
   * @return D
   */
  public int features() {
    return features;
  }

  /**
   * The number of rows.
   *
   * @return N, {@code >= 0}
   */
  public long rows() {
    return rows(parts);
  }

  private static long rows(Part[] parts) {
    return Arrays.stream(parts).filter(Objects::nonNull).mapToLong(Part::rows).sum();
  }

  /**
   * The mean of each column.
   *
   * @return shape (D): a new array
   * @throws IllegalStateException if there are no rows
   */
  public double[] mean() {
    Check.hasRows(this);
    return total(parts).mu().clone();
  }

  /**
   * The population variance (divides by N) of each column.
   *
   * @return shape (D): a new array
   * @throws IllegalStateException if there are no rows
   */
  public double[] var() {
    Check.hasRows(this);
    Part total = total(parts);
    double[] var = total.sq().clone();
    for (int j = 0; j < var.length; j++) {
      var[j] /= total.rows();
    }
    return var;
  }

  /** The numbers of features and rows; not the arrays. */
  @Override
  public String toString() {
    return "ColumnStatistics[features=" + features + ", rows=" + rows() + "]";
  }

  /** What is written in place of this object: a record, which checks what is read. */
  @Serial
  private Object writeReplace() {
    return new Saved(features, parts);
  }

  @Serial
  private void readObject(ObjectInputStream in) throws InvalidObjectException {
    throw new InvalidObjectException("statistics are read from the record that they write");
  }

  record Saved(int features, Part[] parts) implements Serializable {
    @Serial private static final long serialVersionUID = 1;

    Saved {
      // copied first: what is checked is what is kept
      parts = Arrays.stream(parts).map(p -> p == null ? null : p.copy()).toArray(Part[]::new);
      Check.parts(parts, RANKS, features);
      statistics(features, parts); // refuses what overflows here, where an exception becomes an
      // InvalidObjectException
    }

    @Serial
    private Object readResolve() {
      return statistics(features, parts);
    }

    private static ColumnStatistics statistics(int features, Part[] parts) {
      boolean moderate = Arrays.stream(parts).allMatch(p -> p == null || p.isModerate());
      return new ColumnStatistics(features).combine(parts, moderate);
    }
  }
}
