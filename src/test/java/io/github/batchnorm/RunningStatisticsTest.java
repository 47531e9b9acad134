package io.github.batchnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/** The averages over the batches, worked by hand. */
class RunningStatisticsTest {
  // mean (0 + 0 + 0 + 4) / 4 = 1, squares 1 + 1 + 1 + 9 = 12: population variance 12 / 4 = 3,
  // sample variance 12 / 3 = 4; the second column is minus twice the first
  private static final double[][] FIRST = {{0, 0}, {0, 0}, {0, 0}, {4, -8}};
  // mean (4 + 8) / 2 = 6, squares 4 + 4 = 8: population variance 4, sample variance 8
  private static final double[][] SECOND = {{4, -8}, {8, -16}};
  // mean (1 + 2 + 3) / 3 = 2, squares 1 + 0 + 1 = 2: population variance 2 / 3, sample variance 1
  private static final double[][] THIRD = {{1, -2}, {2, -4}, {3, -6}};

  private final BatchNormLayer.Builder builder = BatchNormLayer.builder(2);

  @Test
  void start_at_mean_0_and_variance_1() {
    BatchNormLayer layer = builder.build();
    assertThat(layer.runningMean()).containsExactly(0, 0);
    assertThat(layer.runningVar()).containsExactly(1, 1);
    assertThat(layer.batchesTracked()).isZero();
  }

  @Test
  void take_in_each_batch_with_the_smoothing_factor_and_the_sample_variance() {
    BatchNormLayer layer = builder.smoothingFactor(0.25).build();
    layer.forward(FIRST);
    // 0.75 * 0 + 0.25 * 1 and 0.75 * 0 - 0.25 * 2
    assertThat(layer.runningMean()).containsExactly(0.25, -0.5);
    // 0.75 * 1 + 0.25 * 4 and 0.75 * 1 + 0.25 * 16
    assertThat(layer.runningVar()).containsExactly(1.75, 4.75);
    layer.forward(SECOND);
    // 0.75 * 0.25 + 0.25 * 6 and -0.75 * 0.5 - 0.25 * 12
    assertThat(layer.runningMean()).containsExactly(1.6875, -3.375);
    // 0.75 * 1.75 + 0.25 * 8 and 0.75 * 4.75 + 0.25 * 32
    assertThat(layer.runningVar()).containsExactly(3.3125, 11.5625);
  }

  @Test
  void give_a_new_batch_the_weight_of_a_tenth_by_default() {
    BatchNormLayer layer = builder.build();
    layer.forward(FIRST);
    // 0.9 * 0 + 0.1 * 1 and 0.9 * 0 - 0.1 * 2
    assertThat(layer.runningMean()).containsExactly(0.1, -0.2);
    // 0.9 * 1 + 0.1 * 4 and 0.9 * 1 + 0.1 * 16, rounded
    assertThat(layer.runningVar()).containsExactly(new double[] {1.3, 2.5}, within(1e-15));
  }

  @Test
  void are_the_last_batch_with_a_smoothing_factor_of_1() {
    BatchNormLayer layer = builder.smoothingFactor(1).build();
    layer.forward(FIRST);
    assertThat(layer.runningMean()).containsExactly(1, -2);
    assertThat(layer.runningVar()).containsExactly(4, 16);
    layer.forward(SECOND);
    assertThat(layer.runningMean()).containsExactly(6, -12);
    assertThat(layer.runningVar()).containsExactly(8, 32);
  }

  @Test
  void are_the_plain_average_over_all_batches_with_the_cumulative_average() {
    BatchNormLayer layer = builder.cumulativeAverage().build();
    layer.forward(FIRST);
    assertThat(layer.runningMean()).containsExactly(1, -2);
    assertThat(layer.runningVar()).containsExactly(4, 16);
    layer.forward(SECOND);
    // (1 + 6) / 2 and (4 + 8) / 2, for all that one batch has twice the rows of the other
    assertThat(layer.runningMean()).containsExactly(3.5, -7);
    assertThat(layer.runningVar()).containsExactly(6, 24);
    layer.forward(THIRD);
    // (1 + 6 + 2) / 3 and (4 + 8 + 1) / 3, where a = 1 / 3 is rounded
    assertThat(layer.runningMean()).containsExactly(new double[] {3, -6}, within(1e-15));
    assertThat(layer.runningVar())
        .containsExactly(new double[] {13 / 3.0, 52 / 3.0}, within(1e-14));
  }

  @Test
  void follow_the_last_of_smoothing_factor_and_cumulative_average() {
    BatchNormLayer cumulative = builder.smoothingFactor(0.25).cumulativeAverage().build();
    cumulative.forward(FIRST);
    assertThat(cumulative.runningMean()).containsExactly(1, -2);
    BatchNormLayer smoothed = builder.cumulativeAverage().smoothingFactor(0.25).build();
    smoothed.forward(FIRST);
    assertThat(smoothed.runningMean()).containsExactly(0.25, -0.5);
  }

  @Test
  void go_on_from_those_of_the_builder() {
    builder.runningStatistics(new double[] {1, 1}, new double[] {4, 4}, 3);
    BatchNormLayer layer = builder.cumulativeAverage().build();
    layer.forward(new double[][] {{4, 8}, {6, 8}}); // means 5 and 8, sample variances 2 and 0
    // (3 * 1 + 5) / 4, (3 * 1 + 8) / 4 and (3 * 4 + 2) / 4, (3 * 4 + 0) / 4
    assertThat(layer.runningMean()).containsExactly(2, 2.75);
    assertThat(layer.runningVar()).containsExactly(3.5, 3);
  }

  @Test
  void of_population_variances_take_in_population_variances() {
    BatchNormLayer layer = builder.populationRunningVar(true).smoothingFactor(0.25).build();
    layer.forward(new double[][] {{0, 0}, {2, 4}}); // population variances 1 and 4
    // 0.75 * 1 + 0.25 * 1 and 0.75 * 1 + 0.25 * 4
    assertThat(layer.runningVar()).containsExactly(1, 1.75);
  }

  @Test
  void are_what_infer_normalizes_with() {
    BatchNormLayer layer = builder.smoothingFactor(1).epsilon(12).build();
    layer.forward(FIRST);
    // mean 1, √(4 + 12) = 4 and mean -2, √(16 + 12) = √28
    assertThat(layer.infer(new double[][] {{9, -2}})[0]).containsExactly(2, 0);
    layer.forward(SECOND);
    // mean 6, √(8 + 12) = √20 and mean -12
    assertThat(layer.infer(new double[][] {{6, -12}})[0]).containsExactly(0, 0);
  }

  @Test
  void count_the_forwards_that_succeeded() {
    BatchNormLayer layer = builder.build();
    layer.forward(FIRST);
    layer.infer(FIRST);
    layer.inferBackward(FIRST, FIRST);
    layer.backward(FIRST);
    assertThat(layer.batchesTracked()).isEqualTo(1);
    assertThatIllegalArgumentException().isThrownBy(() -> layer.forward(new double[1][2]));
    assertThat(layer.batchesTracked()).isEqualTo(1);
    layer.forward(SECOND, new double[2][2]);
    assertThat(layer.batchesTracked()).isEqualTo(2);
  }

  @Test
  void count_up_to_the_largest_long_and_stay_there() {
    builder.runningStatistics(new double[2], new double[2], Long.MAX_VALUE);
    BatchNormLayer layer = builder.cumulativeAverage().build();
    layer.forward(FIRST);
    assertThat(layer.batchesTracked()).isEqualTo(Long.MAX_VALUE);
  }
}
