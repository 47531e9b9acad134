package io.github.batchnorm.example;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Statistics by Spark against exact ones, and the exact ones against some worked by hand. */
class ColumnStatisticsTest {
  private static SparkSession spark;

  @BeforeAll
  static void start() {
    spark = LocalSpark.start();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  /**
   * Four images; the first three pixels of each:
   *
   * <pre>{@code
   *  0  7  0
   * 10  7  0    mean 71.25       7  2.25
   * 20  7  0    var  45218.75/3  0  20.25    (divides by 3)
   * 255 7  9
   * }</pre>
   */
  private static Digits fourImages() {
    byte[][] pixels = new byte[4][Digits.PIXELS];
    int[] first = {0, 10, 20, 255};
    for (int i = 0; i < 4; i++) {
      pixels[i][0] = (byte) first[i];
      pixels[i][1] = 7;
    }
    pixels[3][2] = 9;
    return new Digits(pixels, new byte[4]);
  }

  @Test
  void the_exact_statistics_are_those_worked_by_hand() {
    ColumnStatistics exact = ColumnStatistics.exact(fourImages());

    assertThat(exact.rows()).isEqualTo(4);
    assertThat(Arrays.copyOf(exact.mean(), 4)).containsExactly(71.25, 7, 2.25, 0);
    assertThat(Arrays.copyOf(exact.var(), 4)).containsExactly(45218.75 / 3, 0, 20.25, 0);
  }

  /** Of 8 partitions, four are empty at least. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 8})
  void those_of_four_images_by_Spark_are_those_worked_by_hand(int partitions) {
    ColumnStatistics bySpark =
        ColumnStatistics.bySpark(DigitRows.of(spark, fourImages(), 4, partitions));

    assertThat(bySpark.rows()).isEqualTo(4);
    assertThat(bySpark.largestDifference(ColumnStatistics.exact(fourImages())))
        .isLessThanOrEqualTo(1e-12);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 8})
  void those_of_all_digits_by_Spark_differ_from_exact_ones_by_1e_12_of_them_at_most(
      int partitions) {
    Digits digits = TestDigits.MNIST.train();
    ColumnStatistics bySpark =
        ColumnStatistics.bySpark(DigitRows.of(spark, digits, digits.count(), partitions));

    assertThat(bySpark.rows()).isEqualTo(8000);
    assertThat(bySpark.largestDifference(ColumnStatistics.exact(digits)))
        .isLessThanOrEqualTo(1e-12);
  }

  @ParameterizedTest
  @CsvSource({"0, 1", "0, 3", "1, 1", "1, 3"})
  void fewer_than_two_rows_are_refused(int rows, int partitions) {
    var few = DigitRows.of(spark, fourImages(), rows, partitions);

    assertThatThrownBy(() -> ColumnStatistics.bySpark(few))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("rows (%d) must be at least 2", rows);
  }

  @Test
  void the_largest_difference_is_relative_to_the_exact_value() {
    ColumnStatistics exact = statistics(new double[] {100, 0}, new double[] {4, 0});

    assertThat(exact.largestDifference(exact)).isZero();
    assertThat(statistics(new double[] {101, 0}, new double[] {4, 0}).largestDifference(exact))
        .isEqualTo(0.01);
    assertThat(statistics(new double[] {99, 0}, new double[] {5, 0}).largestDifference(exact))
        .isEqualTo(0.25);
    assertThat(statistics(new double[] {100, 0}, new double[] {4, 1e-300}).largestDifference(exact))
        .isInfinite();
    assertThat(
            statistics(new double[] {Double.NaN, 0}, new double[] {4, 0}).largestDifference(exact))
        .isNaN();
  }

  private static ColumnStatistics statistics(double[] mean, double[] var) {
    return new ColumnStatistics(3, mean, var);
  }

  /** Four images, ε = 6.25: a deviation d of the constant pixel is divided by 2.5. */
  @Test
  void a_layer_standardizes_by_the_statistics_and_epsilon() {
    double[] image = new double[Digits.PIXELS];
    image[0] = 255;
    image[1] = 12;
    double[] out = ColumnStatistics.exact(fourImages()).standardizing(6.25).infer(image);

    assertThat(out[0]).isEqualTo((255 - 71.25) * (1 / Math.sqrt(45218.75 / 3 + 6.25)));
    assertThat(out[1]).isEqualTo(2);
    assertThat(out[3]).isZero();
  }
}
