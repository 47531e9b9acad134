package io.github.batchnorm.example;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A worker throws once, in the middle of a partition; Spark repeats the task. */
class FailingTaskTest {
  private static final int COUNT = 90;
  private static final int PARTITIONS = 3;
  private static final int BROKEN = 40; // the 11th row of partition 1, which starts with row 30

  /** Those that threw; static, since the workers are threads of this process. */
  private static final Collection<String> FAILED = new ConcurrentLinkedQueue<>();

  private final Digits digits = TestDigits.first(COUNT);
  private final Classifier classifier = TestDigits.trainedClassifier();

  @BeforeEach
  void forget() {
    FAILED.clear();
  }

  @Test
  void scores_are_those_of_one_machine() throws IOException {
    try (SparkSession spark = LocalSpark.start()) {
      List<Row> scored = Scoring.scores(failing(spark), classifier.state()).collectAsList();

      assertThat(FAILED).containsExactly("partition 1, attempt 0");
      Iterator<Row> rows = scored.iterator();
      for (double[] expected : classifier.scores(TestDigits.images(digits))) {
        assertThat(Scoring.scores(rows.next())).isEqualTo(expected);
      }
      assertThat(rows).isExhausted();
    }
  }

  @Test
  void statistics_count_no_row_twice() throws IOException {
    try (SparkSession spark = LocalSpark.start()) {
      ColumnStatistics bySpark = ColumnStatistics.bySpark(failing(spark));

      assertThat(FAILED).containsExactly("partition 1, attempt 0");
      assertThat(bySpark.rows()).isEqualTo(COUNT);
      assertThat(bySpark.largestDifference(ColumnStatistics.exact(digits)))
          .isLessThanOrEqualTo(1e-12);
    }
  }

  /** So the failure is real, and it is Spark that mends it. */
  @Test
  void without_a_second_attempt_there_is_no_result() throws IOException {
    try (SparkSession spark = LocalSpark.start("local[2]")) {
      Dataset<Row> scored = Scoring.scores(failing(spark), classifier.state());

      assertThatThrownBy(scored::collectAsList).hasMessageContaining("failed on purpose");
    }
  }

  /** The rows of the digits, one of them with the label 1: that one fails at the first attempt. */
  private Dataset<Row> failing(SparkSession spark) {
    byte[] marks = new byte[COUNT];
    marks[BROKEN] = 1;
    Digits marked = new Digits(digits.pixels(), marks);
    Dataset<Row> rows = DigitRows.of(spark, marked, COUNT, PARTITIONS);
    return rows.map((MapFunction<Row, Row>) FailingTaskTest::failOnce, rows.encoder());
  }

  private static Row failOnce(Row row) {
    TaskContext task = TaskContext.get();
    if (row.getInt(1) == 1 && task.attemptNumber() == 0) {
      FAILED.add("partition " + task.partitionId() + ", attempt " + task.attemptNumber());
      throw new IllegalStateException("failed on purpose");
    }
    return row;
  }
}
