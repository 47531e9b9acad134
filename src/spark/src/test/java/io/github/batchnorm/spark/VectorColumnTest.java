package io.github.batchnorm.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.batchnorm.BatchNormLayer;
import io.github.batchnorm.ColumnStatistics;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.ml.stat.Summarizer;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Column of vectors (seed 89)")
class VectorColumnTest {
  private static final String X = "x";
  private static final VectorColumn COLUMN = new VectorColumn(X);
  private static final int ROWS = 1000;

  private static SparkSession spark;

  @BeforeAll
  static void start() {
    spark = LocalSpark.start();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  /** N(0, 1), N(1e8, 1), N(1e12, 1), N(1e8, 1e-3), a constant. */
  private static double[][] matrix() {
    Random random = new Random(89);
    return IntStream.range(0, ROWS)
        .mapToObj(
            i ->
                new double[] {
                  random.nextGaussian(),
                  1e8 + random.nextGaussian(),
                  1e12 + random.nextGaussian(),
                  1e8 + 1e-3 * random.nextGaussian(),
                  0.1
                })
        .toArray(double[][]::new);
  }

  private static Dataset<Row> vectors(int partitions, double[]... x) {
    return data(
        SQLDataTypes.VectorType(),
        partitions,
        Stream.of(x).map(row -> row == null ? null : Vectors.dense(row)).toArray());
  }

  private static Dataset<Row> data(DataType type, int partitions, Object... cells) {
    StructType schema = new StructType().add("i", DataTypes.IntegerType).add(X, type);
    List<Row> rows =
        IntStream.range(0, cells.length).mapToObj(i -> RowFactory.create(i, cells[i])).toList();
    return LocalSpark.rows(spark, rows, schema, partitions);
  }

  @Nested
  class Statistics {
    /** (105 + 32 log2 M) * 2^-53 for M <= 80 blocks, as ColumnStatistics promises. */
    private static final double VAR = 310 * 0x1p-53;

    private static final double MEAN = 38 * 0x1p-53; // 19 + 3 log2 M

    @ParameterizedTest(name = "of {0} partitions")
    @ValueSource(ints = {1, 3, 7, 64})
    void are_within_the_bounds(int partitions) {
      double[][] x = matrix();
      VectorStatistics statistics = COLUMN.statistics(vectors(partitions, x));

      assertThat(statistics.skipped()).isZero();
      assertThat(statistics.values().rows()).isEqualTo(ROWS);
      for (int j = 0; j < x[0].length; j++) {
        int column = j;
        assertWithinBounds(
            Stream.of(x).map(row -> new BigDecimal(row[column])).toList(),
            statistics.values().mean()[j],
            statistics.values().var()[j]);
      }
    }

    private static void assertWithinBounds(List<BigDecimal> x, double mean, double var) {
      BigDecimal exactMean = mean(x);
      BigDecimal exactVar = var(x);
      double sigma = Math.sqrt(exactVar.doubleValue());
      assertThat(new BigDecimal(var).subtract(exactVar).abs().doubleValue())
          .isLessThanOrEqualTo(VAR * exactVar.doubleValue() + 1e-60);
      assertThat(new BigDecimal(mean).subtract(exactMean).abs().doubleValue())
          .isLessThanOrEqualTo(Math.ulp(mean) / 2 + MEAN * sigma + 1e-17);
    }

    private static BigDecimal mean(List<BigDecimal> x) {
      BigDecimal sum = x.stream().reduce(BigDecimal.ZERO, BigDecimal::add);
      return sum.divide(BigDecimal.valueOf(x.size()), MathContext.DECIMAL128);
    }

    private static BigDecimal var(List<BigDecimal> x) {
      BigDecimal mean = mean(x);
      return mean(x.stream().map(value -> value.subtract(mean).pow(2)).toList());
    }

    /** Prints the table of the README: the largest relative error over some partitionings. */
    @Test
    void have_more_digits_than_those_of_the_Summarizer() {
      double[][] x = matrix();
      for (int j = 0; j < 4; j++) {
        int column = j;
        BigDecimal exact = var(Stream.of(x).map(row -> new BigDecimal(row[column])).toList());
        double error = 0;
        double summarizers = 0;
        for (int partitions : new int[] {1, 3, 7, 64}) {
          Dataset<Row> rows = vectors(partitions, x);
          double var = COLUMN.statistics(rows).values().var()[j];
          Vector sampleVar = rows.select(Summarizer.variance(functions.col(X))).head().getAs(0);
          error = Math.max(error, relativeError(var, exact));
          double summarizersVar = sampleVar.apply(j) * (ROWS - 1) / ROWS;
          summarizers = Math.max(summarizers, relativeError(summarizersVar, exact));
        }
        System.out.printf("column %d: Summarizer %.1e, this library %.1e%n", j, summarizers, error);
        assertThat(error).isLessThan(summarizers);
      }
    }

    private static double relativeError(double value, BigDecimal exact) {
      BigDecimal difference = new BigDecimal(value).subtract(exact);
      return difference.divide(exact, MathContext.DECIMAL128).abs().doubleValue();
    }

    /** Of 6 values in 20 partitions, most are empty. */
    @Test
    void of_partitions_that_are_empty_are_those_worked_by_hand() {
      ColumnStatistics all =
          COLUMN
              .statistics(vectors(20, new double[] {4}, new double[] {4}, new double[] {1}))
              .values();

      assertThat(all.rows()).isEqualTo(3);
      assertThat(all.mean()).containsExactly(3);
      assertThat(all.var()).containsExactly(2);
    }

    static List<Object[]> arrays() {
      return List.of(
          new Object[] {DataTypes.DoubleType, new Object[] {4.0, 4.0, 1.0}},
          new Object[] {DataTypes.FloatType, new Object[] {4f, 4f, 1f}},
          new Object[] {DataTypes.IntegerType, new Object[] {4, 4, 1}},
          new Object[] {DataTypes.LongType, new Object[] {4L, 4L, 1L}},
          new Object[] {
            DataTypes.createDecimalType(),
            new Object[] {new BigDecimal(4), new BigDecimal(4), BigDecimal.ONE}
          });
    }

    @ParameterizedTest
    @MethodSource("arrays")
    void of_arrays_of_any_numbers_are_those_worked_by_hand(DataType type, Object[] values) {
      Object[] cells = Stream.of(values).map(value -> new Object[] {value}).toArray();
      ColumnStatistics all =
          COLUMN.statistics(data(DataTypes.createArrayType(type), 2, cells)).values();

      assertThat(all.mean()).containsExactly(3);
      assertThat(all.var()).containsExactly(2);
    }

    @Test
    void of_sparse_vectors_count_their_zeros() {
      Vector sparse = Vectors.sparse(3, new int[] {1}, new double[] {6});
      ColumnStatistics all =
          COLUMN.statistics(data(SQLDataTypes.VectorType(), 1, sparse, Vectors.zeros(3))).values();

      assertThat(all.mean()).containsExactly(0, 3, 0);
      assertThat(all.var()).containsExactly(0, 9, 0);
    }

    /** Attempts of the task that throws; static, since the workers are threads of this process. */
    private static final Collection<Integer> ATTEMPTS = new ConcurrentLinkedQueue<>();

    @Test
    void have_the_same_bits_if_a_task_fails_on_the_way() {
      Dataset<Row> rows = vectors(7, matrix());
      ColumnStatistics expected = COLUMN.statistics(rows).values();
      Dataset<Row> failing = rows.map((MapFunction<Row, Row>) Statistics::failOnce, rows.encoder());

      ColumnStatistics actual = COLUMN.length(5).statistics(failing).values();

      assertThat(ATTEMPTS).containsExactly(0, 1);
      assertThat(actual.rows()).isEqualTo(ROWS);
      assertThat(actual.mean()).isEqualTo(expected.mean());
      assertThat(actual.var()).isEqualTo(expected.var());
    }

    private static Row failOnce(Row row) {
      if (row.getInt(0) == ROWS / 2) {
        ATTEMPTS.add(TaskContext.get().attemptNumber());
        if (TaskContext.get().attemptNumber() == 0) {
          throw new IllegalStateException("failed on purpose");
        }
      }
      return row;
    }
  }

  @Nested
  class Bad_rows {
    private static final double[] GOOD = {1, 2};

    /** No SparkException: the tasks did not fail, and so were not repeated. */
    private static void assertRefused(String message, Dataset<Row> rows) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> COLUMN.statistics(rows))
          .withMessage("column x: " + message);
    }

    private static final String WHAT_TO_DO = "; correct the data, or use skipInvalid()";

    @Test
    void are_refused_by_name_and_place() {
      assertRefused(
          "a vector is null, expected 2 values" + WHAT_TO_DO + " (row 1 of partition 1)",
          vectors(2, GOOD, GOOD, GOOD, null));
      assertRefused(
          "value 1 of a vector is NaN, expected a finite value"
              + WHAT_TO_DO
              + " (row 2 of partition 0)",
          vectors(1, GOOD, GOOD, new double[] {1, Double.NaN}));
      assertRefused(
          "value 0 of a vector is -Infinity, expected a finite value"
              + WHAT_TO_DO
              + " (row 1 of partition 0)",
          vectors(1, GOOD, new double[] {Double.NEGATIVE_INFINITY, 1}));
      assertRefused(
          "a vector has 3 values, expected 2" + WHAT_TO_DO + " (row 1 of partition 0)",
          vectors(1, GOOD, new double[3]));
      assertRefused(
          "value 1 of a vector is null, expected a finite value"
              + WHAT_TO_DO
              + " (row 1 of partition 0)",
          data(
              DataTypes.createArrayType(DataTypes.DoubleType),
              1,
              new Double[] {1.0, 2.0},
              new Double[] {1.0, null}));
    }

    @Test
    void of_the_first_partition_are_named_first() {
      assertRefused(
          "a vector has 1 values, expected 2" + WHAT_TO_DO + " (row 0 of partition 3)",
          vectors(6, GOOD, GOOD, GOOD, new double[1], GOOD, null));
    }

    @Test
    void whose_sums_overflow_are_refused() {
      double[] large = {1e200, 0};
      String message = "sum of squares of column 0 (Infinity) must be finite: it overflows";
      assertRefused(message, vectors(1, GOOD, large));
      assertRefused(message, vectors(2, GOOD, large));
    }

    @Test
    void are_left_out_and_counted_if_asked_for() {
      VectorStatistics statistics =
          COLUMN
              .skipInvalid()
              .statistics(
                  vectors(
                      3,
                      new double[] {4, 3},
                      null,
                      new double[] {4, 0},
                      new double[] {1, Double.NaN},
                      new double[] {1, -6},
                      new double[3]));

      assertThat(statistics.skipped()).isEqualTo(3);
      assertThat(statistics.values().rows()).isEqualTo(3);
      assertThat(statistics.values().mean()).containsExactly(3, -1);
      assertThat(statistics.values().var()).containsExactly(2, 14);
    }

    @Test
    void at_the_beginning_do_not_set_the_length_if_it_is_known() {
      Dataset<Row> rows = vectors(1, new double[7], GOOD, GOOD);

      assertThat(COLUMN.length(2).skipInvalid().statistics(rows).skipped()).isEqualTo(1);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> COLUMN.length(0))
          .withMessage("length (0) must be >= 1");
    }

    @Test
    void leave_at_least_two_or_are_refused() {
      String todo = "expected at least 2: check the path and the filter";
      assertThatIllegalArgumentException()
          .isThrownBy(() -> COLUMN.skipInvalid().statistics(vectors(2, GOOD, null)))
          .withMessage("column x has 1 valid rows, and 1 were skipped, " + todo);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> COLUMN.length(2).statistics(vectors(2)))
          .withMessage("column x has 0 valid rows, and 0 were skipped, " + todo);
    }

    @Test
    void without_any_vector_are_refused() {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> COLUMN.statistics(vectors(2, null, null)))
          .withMessage(
              "column x has no vector in any row: check the path, the filter and the name of the"
                  + " column");
    }

    @Test
    void of_another_type_are_refused() {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> COLUMN.statistics(data(DataTypes.StringType, 1, "1 2")))
          .withMessage("column x is of type string, expected vectors or arrays of numbers");
      assertThatIllegalArgumentException()
          .isThrownBy(
              () ->
                  COLUMN.statistics(
                      data(
                          DataTypes.createArrayType(DataTypes.StringType),
                          1,
                          (Object) new String[] {"1"})))
          .withMessage("column x is of type array<string>, expected vectors or arrays of numbers");
      assertThatThrownBy(() -> new VectorColumn("y").statistics(vectors(1, GOOD, GOOD)))
          .hasMessageContaining("`y`")
          .hasMessageContaining("`x`");
      assertThatNullPointerException()
          .isThrownBy(() -> new VectorColumn(null))
          .withMessage("name is null");
    }

    @Test
    void are_refused_when_a_function_meets_them_and_left_out_if_asked_for() {
      Dataset<Row> rows = vectors(2, GOOD, null, new double[] {Double.NaN, 1}, new double[] {3, 4});
      MapFunction<double[], double[]> sum = row -> new double[] {row[0] + row[1]};

      Dataset<Row> bad = vectors(1, GOOD, new double[] {Double.NaN, 1});
      assertThatThrownBy(() -> COLUMN.map(bad, "sum", sum).collectAsList())
          .hasStackTraceContaining(
              "IllegalArgumentException: column x: value 0 of a vector is NaN, expected a finite"
                  + " value; correct the data, or use skipInvalid()");
      assertThat(
              COLUMN.skipInvalid().map(rows, "sum", sum).select("sum").collectAsList().stream()
                  .map(row -> row.<Vector>getAs(0).toArray()[0]))
          .containsExactly(3.0, 7.0);
    }
  }

  @Nested
  class Functions {
    private final double[][] x = matrix();
    private final BatchNormLayer layer = layer();

    private BatchNormLayer layer() {
      BatchNormLayer trained = new BatchNormLayer(5);
      trained.gamma()[1] = -0.7;
      trained.beta()[2] = 0.1;
      trained.forward(x);
      return trained;
    }

    @ParameterizedTest(name = "in {0} partitions")
    @ValueSource(ints = {1, 3, 64})
    void give_the_bits_of_one_machine(int partitions) {
      List<Row> rows = COLUMN.infer(vectors(partitions, x), "out", layer.state()).collectAsList();

      double[][] expected = layer.infer(x);
      assertThat(rows).hasSize(ROWS);
      for (int i = 0; i < ROWS; i++) {
        assertThat(rows.get(i).getInt(0)).isEqualTo(i);
        assertThat(rows.get(i).<Vector>getAs(X).toArray()).isEqualTo(x[i]);
        assertThat(rows.get(i).<Vector>getAs("out").toArray()).isEqualTo(expected[i]);
      }
    }

    @Test
    void make_arrays_of_arrays() {
      Object[] cells = Arrays.copyOf(x, 3);
      Dataset<Row> rows = data(DataTypes.createArrayType(DataTypes.DoubleType), 2, cells);
      List<Row> out = COLUMN.infer(rows, "out", layer.state()).collectAsList();

      double[][] expected = layer.infer(x);
      for (int i = 0; i < 3; i++) {
        assertThat(out.get(i).getList(2))
            .containsExactly(Arrays.stream(expected[i]).boxed().toArray());
      }
    }

    @Test
    void of_empty_partitions_alone_make_nothing() {
      Dataset<Row> none = vectors(3, x).filter("i < 0");

      assertThat(COLUMN.infer(none, "out", layer.state()).collectAsList()).isEmpty();
    }

    @Test
    void refuse_vectors_of_another_length_than_the_layer() {
      assertThatThrownBy(
              () -> COLUMN.infer(vectors(1, new double[4]), "out", layer.state()).collectAsList())
          .hasStackTraceContaining("column x: a vector has 4 values, expected 5");
    }
  }
}
