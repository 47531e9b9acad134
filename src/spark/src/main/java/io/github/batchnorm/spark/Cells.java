package io.github.batchnorm.spark;

import java.io.Serializable;
import org.apache.spark.ml.linalg.Vector;
import scala.collection.Iterator;
import scala.collection.Seq;

/**
 * What the cells of a column hold, and which of them are invalid.
 *
 * @param column its name
 * @param length of a valid vector
 * @param skipsInvalid whether invalid ones are left out
 */
record Cells(String column, int length, boolean skipsInvalid) implements Serializable {
  /** The number of values in a cell that is not null. */
  static int length(Object cell) {
    return cell instanceof Vector vector ? vector.size() : ((Seq<?>) cell).size();
  }

  /** As {@link #values}, but null for an invalid cell that is to be left out. */
  double[] valuesOrNull(Object cell) {
    try {
      return values(cell);
    } catch (IllegalArgumentException e) {
      if (skipsInvalid) {
        return null;
      }
      throw e;
    }
  }

  /**
   * The values of a cell.
   *
   * @throws IllegalArgumentException if it is invalid; the message says what to do
   */
  private double[] values(Object cell) {
    if (cell == null) {
      throw invalid("a vector is null, expected " + length + " values");
    }
    if (length(cell) != length) {
      throw invalid("a vector has " + length(cell) + " values, expected " + length);
    }
    double[] values = cell instanceof Vector vector ? vector.toArray() : array((Seq<?>) cell);
    for (int j = 0; j < length; j++) {
      if (!Double.isFinite(values[j])) {
        throw invalid("value " + j + " of a vector is " + values[j] + ", expected a finite value");
      }
    }
    return values;
  }

  private double[] array(Seq<?> cell) {
    double[] values = new double[length];
    Iterator<?> numbers = cell.iterator();
    for (int j = 0; j < length; j++) {
      if (!(numbers.next() instanceof Number number)) {
        throw invalid("value " + j + " of a vector is null, expected a finite value");
      }
      values[j] = number.doubleValue();
    }
    return values;
  }

  private IllegalArgumentException invalid(String what) {
    return new IllegalArgumentException(
        "column %s: %s; correct the data, or use skipInvalid()".formatted(column, what));
  }
}
