package io.github.batchnorm.spark;

import io.github.batchnorm.ColumnStatistics;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serial;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.sql.Row;

/** The statistics of some partitions, or what is wrong with their first invalid row. */
final class Partial implements Serializable {
  @Serial private static final long serialVersionUID = 1;

  /** Rows are added in blocks, as {@link ColumnStatistics} takes them. */
  private static final int BLOCK_ROWS = 64;

  private final Cells cells;
  private final ColumnStatistics statistics;
  private long skipped;
  private String problem; // null if there is none

  private Partial(Cells cells) {
    this.cells = cells;
    statistics = new ColumnStatistics(cells.length());
  }

  /** The statistics of one partition, up to the first row that is refused. */
  static Partial of(Iterator<Row> part, Cells cells, int partition) {
    Partial partial = new Partial(cells);
    List<double[]> block = new ArrayList<>(BLOCK_ROWS);
    for (long row = 0; part.hasNext(); row++) {
      Object cell = part.next().get(0);
      partial.attempt(() -> partial.take(cell, block));
      if (partial.problem != null) {
        partial.problem += " (row %d of partition %d)".formatted(row, partition);
        return partial;
      }
    }
    partial.attempt(() -> partial.add(block));
    return partial;
  }

  private void take(Object cell, List<double[]> block) {
    double[] values = cells.valuesOrNull(cell);
    if (values == null) {
      skipped++;
      return;
    }
    block.add(values);
    if (block.size() == BLOCK_ROWS) {
      add(block);
    }
  }

  private void add(List<double[]> block) {
    sum(() -> statistics.add(block.toArray(double[][]::new)));
    block.clear();
  }

  private void sum(Runnable sum) {
    try {
      sum.run();
    } catch (IllegalArgumentException e) { // an overflow
      throw new IllegalArgumentException("column " + cells.column() + ": " + e.getMessage(), e);
    }
  }

  /** Adds the rows of another part. */
  Partial merge(Partial other) {
    skipped += other.skipped;
    attempt(() -> sum(() -> statistics.combine(other.statistics)));
    problem = problem != null ? problem : other.problem;
    return this;
  }

  /** Notes what the data cause, so that the task succeeds: Spark would repeat one that fails. */
  private void attempt(Runnable step) {
    try {
      step.run();
    } catch (IllegalArgumentException e) {
      problem = problem != null ? problem : e.getMessage();
    }
  }

  /** What the caller gets. */
  VectorStatistics result() {
    if (problem != null) {
      throw new IllegalArgumentException(problem);
    }
    if (statistics.rows() < 2) {
      throw new IllegalArgumentException(
          "column %s has %d valid rows, and %d were skipped, expected at least 2: check the path and the filter"
              .formatted(cells.column(), statistics.rows(), skipped));
    }
    return new VectorStatistics(statistics, skipped);
  }

  /** By Java's serialization, whichever one Spark is set to use. */
  byte[] toBytes() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(this);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  static Partial fromBytes(byte[] bytes) {
    try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
      return (Partial) in.readObject();
    } catch (IOException | ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }
}
