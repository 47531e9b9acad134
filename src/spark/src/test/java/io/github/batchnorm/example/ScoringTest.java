package io.github.batchnorm.example;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.batchnorm.BatchNormLayer;
import io.github.batchnorm.BatchNormState;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Scores of Spark's workers against those of one machine. */
class ScoringTest {
  private static SparkSession spark;
  private static Classifier classifier;

  @BeforeAll
  static void start() {
    spark = LocalSpark.start();
    classifier = TestDigits.trainedClassifier();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  /** Of 5 rows in 8 partitions, three are empty at least. One machine scores all rows at once. */
  @ParameterizedTest
  @CsvSource({"300, 1", "300, 3", "300, 8", "5, 1", "5, 3", "5, 8"})
  void scores_have_the_bits_of_one_machine(int count, int partitions) {
    Digits digits = TestDigits.first(count);
    List<Row> scored = scored(digits, count, partitions);

    assertThat(scored).hasSize(count);
    double[][] expected = classifier.scores(TestDigits.images(digits));
    for (int i = 0; i < count; i++) {
      assertThat(Scoring.scores(scored.get(i))).isEqualTo(expected[i]);
      assertThat(scored.get(i).<Integer>getAs("label")).isEqualTo(digits.labels()[i]);
    }
  }

  @Test
  void of_empty_partitions_alone_nothing_comes() {
    var none = DigitRows.of(spark, TestDigits.first(5), 5, 3).filter("label > 9");

    assertThat(none.toJavaRDD().getNumPartitions()).isEqualTo(3);
    assertThat(Scoring.scores(none, classifier.state()).collectAsList()).isEmpty();
  }

  @Test
  void the_digits_start_again_after_the_last_one() {
    List<Row> scored = scored(TestDigits.first(3), 7, 2);

    assertThat(scored).hasSize(7);
    assertThat(scored.subList(3, 6)).isEqualTo(scored.subList(0, 3));
    assertThat(scored.get(6)).isEqualTo(scored.get(0)).isNotEqualTo(scored.get(1));
  }

  private static List<Row> scored(Digits digits, int count, int partitions) {
    var rows = DigitRows.of(spark, digits, count, partitions);
    assertThat(rows.toJavaRDD().getNumPartitions()).isEqualTo(partitions);
    return Scoring.scores(rows, classifier.state()).collectAsList();
  }

  @Test
  void a_row_is_right_if_its_highest_score_is_at_its_label() {
    Digits digits = TestDigits.first(300);
    List<Row> scored = scored(digits, 300, 3);

    double[][] expected = classifier.scores(TestDigits.images(digits));
    assertThat(scored.stream().map(Scoring::isRight)).contains(true, false);
    for (int i = 0; i < 300; i++) {
      boolean right = true;
      for (double score : expected[i]) {
        right &= score <= expected[i][digits.labels()[i]];
      }
      assertThat(Scoring.isRight(scored.get(i))).isEqualTo(right);
    }
  }

  /** The layer alone, in Spark's other API; 10 rows, so that of 16 partitions some are empty. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 8, 16})
  void a_layer_alone_has_the_bits_of_one_machine(int partitions) {
    BatchNormLayer layer = new BatchNormLayer(3);
    layer.gamma()[1] = -0.7;
    layer.beta()[2] = 0.1;
    double[][] x = new double[10][3];
    for (int i = 0; i < x.length; i++) {
      x[i] = new double[] {Math.sqrt(i), 1.0 / (i + 1), i * i};
    }
    layer.forward(x);
    JavaSparkContext context = new JavaSparkContext(spark.sparkContext());
    Broadcast<BatchNormState> state = context.broadcast(layer.state());

    List<double[]> out =
        context
            .parallelize(List.of(x), partitions)
            .mapPartitions(
                rows -> {
                  BatchNormLayer own = BatchNormLayer.of(state.value());
                  List<double[]> part = new ArrayList<>();
                  rows.forEachRemaining(row -> part.add(own.infer(row)));
                  return part.iterator();
                })
            .collect();

    assertThat(out.toArray(double[][]::new)).isDeepEqualTo(layer.infer(x));
  }
}
