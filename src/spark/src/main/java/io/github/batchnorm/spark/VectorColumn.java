package io.github.batchnorm.spark;

import static org.apache.spark.sql.functions.col;

import io.github.batchnorm.BatchNormState;
import java.io.Serial;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.NumericType;
import scala.Tuple2;

/**
 * A column of vectors, or of arrays of numbers, in a data set of any size. The vector of a row is a
 * row x of the matrix (N, D) that a layer normalizes.
 *
 * <pre>{@code
 * VectorColumn features = new VectorColumn("features");
 * ColumnStatistics all = features.statistics(rows).values();
 * BatchNormLayer layer = BatchNormLayer.builder(all.features()).runningStatistics(all).build();
 * Dataset<Row> normalized = features.infer(rows, "normalized", layer.state());
 * }</pre>
 *
 * <p>All vectors must have the same length D, and all values must be finite. Other rows, and those
 * without a vector, are <b>invalid</b>. They are refused with an {@link IllegalArgumentException}
 * that names the column, or left out after {@link #skipInvalid}. D is the length of the first
 * vector unless {@link #length} says it.
 *
 * <p>An object of this class is immutable.
 */
public final class VectorColumn implements Serializable {
  @Serial private static final long serialVersionUID = 1;

  private final String name;
  private final int length; // 0 for that of the first vector
  private final boolean skipsInvalid;

  /**
   * A column whose invalid rows are refused.
   *
   * @param name of the column
   * @throws NullPointerException if {@code name} is null
   */
  public VectorColumn(String name) {
    this(Objects.requireNonNull(name, "name is null"), 0, false);
  }

  private VectorColumn(String name, int length, boolean skipsInvalid) {
    this.name = name;
    this.length = length;
    this.skipsInvalid = skipsInvalid;
  }

  /**
   * The same column, with vectors of a length that is known.
   *
   * @param length D
   * @return a new object
   * @throws IllegalArgumentException if {@code length < 1}
   */
  public VectorColumn length(int length) {
    if (length < 1) {
      throw new IllegalArgumentException("length (" + length + ") must be >= 1");
    }
    return new VectorColumn(name, length, skipsInvalid);
  }

  /**
   * The same column, whose invalid rows are left out.
   *
   * @return a new object
   */
  public VectorColumn skipInvalid() {
    return new VectorColumn(name, length, true);
  }

  /**
   * Mean and variance of each value of the vectors, in one pass over the rows. The workers merge
   * the statistics of the partitions in groups of √P, for P partitions, and the driver merges those
   * of the groups, both in the order of the partitions. So the same partitions give the same bits,
   * even if a worker fails on the way; other partitions stay within the bounds of {@link
   * io.github.batchnorm.ColumnStatistics}.
   *
   * <p>An invalid row ends the work of its partition, not its task: Spark does not repeat what
   * would fail again.
   *
   * @param rows with this column
   * @return statistics of at least 2 rows
   * @throws IllegalArgumentException if the column holds something else than vectors or arrays of
   *     numbers; if a row is invalid and invalid rows are not left out; if fewer than 2 rows are
   *     left; or if the statistics overflow
   */
  public VectorStatistics statistics(Dataset<Row> rows) {
    Cells cells = cells(rows);
    JavaRDD<Row> column = rows.select(col(name)).toJavaRDD();
    int parts = column.getNumPartitions();
    int group = Math.max(1, (int) Math.sqrt(parts));
    Partial all = Partial.of(Collections.emptyIterator(), cells, 0);
    column
        .mapPartitionsWithIndex((p, part) -> numbered(p, Partial.of(part, cells, p)), true)
        .groupBy(part -> part._1 / group, parts / group + 1) // group g is partition g
        .values()
        .map(VectorColumn::merge)
        .collect()
        .forEach(merged -> all.merge(Partial.fromBytes(merged)));
    return all.result();
  }

  private static Iterator<Tuple2<Integer, byte[]>> numbered(int partition, Partial part) {
    return List.of(new Tuple2<>(partition, part.toBytes())).iterator();
  }

  private static byte[] merge(Iterable<Tuple2<Integer, byte[]>> group) {
    List<Tuple2<Integer, byte[]>> parts = new ArrayList<>();
    group.forEach(parts::add);
    parts.sort(Comparator.comparing(Tuple2::_1));
    return parts.stream()
        .map(part -> Partial.fromBytes(part._2))
        .reduce(Partial::merge)
        .orElseThrow()
        .toBytes();
  }

  /**
   * Adds a column with the results of a function of each vector. Nothing is computed before Spark
   * needs the rows, and nothing is collected.
   *
   * <p>The results have the bits that they have on one machine, for any number of partitions: a
   * vector meets nothing but the function. The function is sent to the workers with each stage.
   *
   * <p>If invalid rows are refused, the task of such a row fails, and Spark repeats it as it
   * repeats any task ({@code spark.task.maxFailures}). {@link #statistics} finds invalid rows
   * without that.
   *
   * @param rows with this column
   * @param output the name of the new column; of vectors if this one is, else of arrays of doubles
   * @param function of a vector, shape (D), which it does not modify; returns an array of any
   *     length. Several threads may call it at once
   * @return the rows, less invalid ones if these are left out, with the new column
   * @throws NullPointerException if {@code output} or {@code function} is null
   * @throws IllegalArgumentException if the column holds something else than vectors or arrays of
   *     numbers
   */
  public Dataset<Row> map(
      Dataset<Row> rows, String output, MapFunction<double[], double[]> function) {
    Objects.requireNonNull(output, "output is null");
    Objects.requireNonNull(function, "function is null");
    Cells cells = cells(rows);
    boolean vectors = isVector(type(rows));
    UDF1<Object, Object> ofCell =
        cell -> {
          double[] vector = cells.valuesOrNull(cell);
          double[] result = vector == null ? null : function.call(vector);
          return result == null || !vectors ? result : Vectors.dense(result);
        };
    DataType type =
        vectors ? SQLDataTypes.VectorType() : DataTypes.createArrayType(DataTypes.DoubleType);
    // not deterministic, for Spark: else the filter would call the function once more
    Dataset<Row> all =
        rows.withColumn(output, functions.udf(ofCell, type).asNondeterministic().apply(col(name)));
    return skipsInvalid ? all.filter(col(output).isNotNull()) : all;
  }

  /**
   * Adds a column with what a layer makes of the vectors by {@link
   * io.github.batchnorm.BatchNormLayer#infer(double[])}; see {@link #map}.
   *
   * @param rows with this column
   * @param output the name of the new column
   * @param layer the state of the layer
   * @return the rows, less invalid ones if these are left out, with the new column
   * @throws NullPointerException if {@code output} or {@code layer} is null
   * @throws IllegalArgumentException if the column holds something else than vectors or arrays of
   *     numbers
   */
  public Dataset<Row> infer(Dataset<Row> rows, String output, BatchNormState layer) {
    return length(layer.gamma().length).map(rows, output, new LayerFunction(layer));
  }

  private Cells cells(Dataset<Row> rows) {
    DataType type = type(rows);
    if (!isVector(type)
        && !(type instanceof ArrayType a && a.elementType() instanceof NumericType)) {
      throw new IllegalArgumentException(
          "column %s is of type %s, expected vectors or arrays of numbers"
              .formatted(name, type.simpleString()));
    }
    return new Cells(name, length > 0 ? length : firstLength(rows), skipsInvalid);
  }

  private DataType type(Dataset<Row> rows) {
    return rows.select(col(name)).schema().fields()[0].dataType();
  }

  private static boolean isVector(DataType type) {
    return type.equals(SQLDataTypes.VectorType());
  }

  private int firstLength(Dataset<Row> rows) {
    List<Row> first = rows.select(col(name)).filter(col(name).isNotNull()).takeAsList(1);
    if (first.isEmpty()) {
      throw new IllegalArgumentException(
          "column %s has no vector in any row: check the path, the filter and the name of the column"
              .formatted(name));
    }
    return Cells.length(first.get(0).get(0));
  }
}
