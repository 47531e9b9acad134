package io.github.batchnorm.example;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.batchnorm.spark.LocalSpark;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("Training on parts of a mini-batch (seed 97)")
class PartedTrainingTest {
  private static final int ROWS = 90;
  private static final int STEPS = 20;
  private static final double RATE = 1;

  private static SparkSession spark;

  @BeforeAll
  static void start() {
    spark = LocalSpark.start();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  /** 90 rows of 6 values around the number of their class, in the order of their classes. */
  private static List<Row> rows(DataType labelType) {
    Random random = new Random(97);
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < ROWS; i++) {
      int label = 3 * i / ROWS;
      double[] x =
          IntStream.range(0, 6).mapToDouble(k -> 255 * (label + random.nextGaussian())).toArray();
      Object ofType =
          labelType.equals(DataTypes.DoubleType) ? (Object) (double) label : (Object) (long) label;
      rows.add(RowFactory.create(Vectors.dense(x), ofType));
    }
    return rows;
  }

  private static JavaRDD<PartedTraining.Part> parts(
      List<Row> rows, DataType label, int partitions) {
    StructType schema =
        new StructType()
            .add(DigitRows.FEATURES, SQLDataTypes.VectorType())
            .add(DigitRows.LABEL, label);
    return SparkTraining.parts(LocalSpark.rows(spark, rows, schema, partitions)).cache();
  }

  private static PartedTraining.Network network() {
    return PartedTraining.Network.random(6, 4, 3, new Random(1));
  }

  @ParameterizedTest(name = "{0} partitions, shuffled: {1}, an empty one: {2}")
  @CsvSource({
    "1, false, false",
    "2, false, false",
    "4, false, false",
    "2, true, false",
    "4, true, false",
    "2, false, true",
    "4, true, true"
  })
  void is_that_of_one_machine_within_1e_12(int partitions, boolean shuffled, boolean empty) {
    List<Row> rows = rows(DataTypes.DoubleType);
    if (shuffled) {
      Collections.shuffle(rows, new Random(97));
    }
    JavaRDD<PartedTraining.Part> parts = parts(rows, DataTypes.DoubleType, partitions);
    if (empty) {
      parts = parts.union(parts(List.of(), DataTypes.DoubleType, 1));
      assertThat(parts.map(PartedTraining.Part::rows).collect()).contains(0);
    }
    PartedTraining.Part all = parts.collect().stream().reduce(SparkTraining::concat).orElseThrow();
    PartedTraining.Network one = network();
    PartedTraining.Network exact = one;
    double firstLoss = 0;
    double loss = 0;
    for (int step = 0; step < STEPS; step++) {
      PartedTraining.Network ofOne = PartedTraining.onOneMachine(one, all, ROWS);
      PartedTraining.Network ofParts = PartedTraining.exact(exact, parts);
      loss = ofOne.loss();
      firstLoss = step == 0 ? loss : firstLoss;
      assertThat(ofParts.loss()).isCloseTo(loss, within(1e-12));
      one = one.plus(-RATE, ofOne);
      exact = exact.plus(-RATE, ofParts);
    }

    assertThat(loss).isLessThan(0.7 * firstLoss);
    assertThat(values(exact).length).isEqualTo(6 * 4 + 4 * 3 + 3 + 4 + 4);
    assertThat(values(exact)).containsExactly(values(one), within(1e-12));
  }

  private static double[] values(PartedTraining.Network net) {
    return Stream.of(net.w(), net.v(), new double[][] {net.b(), net.gamma(), net.beta()})
        .flatMap(Arrays::stream)
        .flatMapToDouble(Arrays::stream)
        .toArray();
  }

  /** In the order of the classes, the statistics of a part are not those of all rows. */
  @Test
  void by_the_statistics_of_each_part_is_another_one() {
    JavaRDD<PartedTraining.Part> parts = parts(rows(DataTypes.DoubleType), DataTypes.DoubleType, 3);

    assertThat(PartedTraining.byStatisticsOfEachPart(network(), parts, ROWS).loss())
        .isNotCloseTo(PartedTraining.exact(network(), parts).loss(), within(1e-3));
  }

  @Test
  void takes_labels_of_any_numeric_type() {
    List<Integer> labels =
        parts(rows(DataTypes.LongType), DataTypes.LongType, 2)
            .flatMap(part -> Arrays.stream(part.labels()).boxed().iterator())
            .collect();

    assertThat(labels).hasSize(ROWS).startsWith(0).endsWith(2);
  }
}
