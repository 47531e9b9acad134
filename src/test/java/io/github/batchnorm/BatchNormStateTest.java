package io.github.batchnorm;

import static io.github.batchnorm.TestData.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InvalidObjectException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The record and its rules; {@link CopyAndRestoreTest} has the layers that are made of it. */
class BatchNormStateTest {
  private static final double[] GAMMA = {2, -4};
  private static final double[] BETA = {0.5, -0.0};
  private static final double[] MEAN = {3, Double.MIN_VALUE};
  private static final double[] VAR = {0, 1e300};

  private static BatchNormState state() {
    return ArrayComponent.GAMMA.in(GAMMA);
  }

  /** The arrays by name, in the order in which the constructor takes them. */
  enum ArrayComponent {
    GAMMA("gamma"),
    BETA("beta"),
    RUNNING_MEAN("runningMean"),
    RUNNING_VAR("runningVar");

    final String component;

    ArrayComponent(String component) {
      this.component = component;
    }

    /** A state with another array in the place of this one. */
    BatchNormState in(double[] array) {
      double[][] arrays = {BatchNormStateTest.GAMMA, BatchNormStateTest.BETA, MEAN, VAR};
      arrays[ordinal()] = array;
      return new BatchNormState(
          arrays[0], arrays[1], arrays[2], arrays[3], 7, 1e-3, 0.25, false, true);
    }

    double[] of(BatchNormState s) {
      return new double[][] {s.gamma(), s.beta(), s.runningMean(), s.runningVar()}[ordinal()];
    }
  }

  @Nested
  @ParameterizedClass(name = "{0}")
  @EnumSource
  class An_array_component {
    @Parameter ArrayComponent array;

    private void refuses(double[] values, String rule) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> array.in(values))
          .withMessage(array.component + rule);
    }

    @Test
    void must_not_be_null() {
      assertThatNullPointerException()
          .isThrownBy(() -> array.in(null))
          .withMessage(array.component + " is null");
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY})
    void must_be_finite(double value) {
      refuses(new double[] {1, value}, "[1] is " + value + ", expected a finite value");
    }

    @Test
    void must_have_a_value_and_as_many_as_gamma() {
      if (array == ArrayComponent.GAMMA) {
        refuses(new double[0], " has 0 values, expected at least 1");
      } else {
        refuses(new double[1], " has 1 value, expected 2");
        refuses(new double[3], " has 3 values, expected 2");
      }
    }

    @Test
    void is_copied_on_its_way_in_and_out() {
      double[] values = {1, 2};
      BatchNormState state = array.in(values);
      values[0] = 4242;
      array.of(state)[1] = 4242;
      assertThat(array.of(state)).containsExactly(1, 2).isNotSameAs(array.of(state));
    }

    @Test
    void tells_states_apart_by_a_bit() {
      BatchNormState zero = array.in(new double[] {1, 0.0});
      BatchNormState minusZero = array.in(new double[] {1, -0.0});
      assertThat(zero).isNotEqualTo(minusZero).doesNotHaveSameHashCodeAs(minusZero);
      assertThat(zero).isEqualTo(array.in(new double[] {1, 0.0}));
    }
  }

  @Nested
  class A_number {

    private static void refuses(long batches, double epsilon, double a, String message) {
      assertThatIllegalArgumentException()
          .isThrownBy(
              () -> new BatchNormState(GAMMA, BETA, MEAN, VAR, batches, epsilon, a, false, false))
          .withMessage(message);
    }

    @Test
    void of_runningVar_must_not_be_negative() {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> ArrayComponent.RUNNING_VAR.in(with(VAR, 1, -1e-300)))
          .withMessage(
              "runningVar[1] (-1.0E-300) must be >= 0; if another library rounded it below 0, add"
                  + " epsilon to every variance and build the layer with a tiny epsilon");
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, Long.MIN_VALUE})
    void of_batches_must_not_be_negative(long batches) {
      refuses(batches, 1, 1, "batchesTracked (" + batches + ") must be >= 0");
    }

    @Test
    void is_a_setting_that_a_builder_takes_too() { // BuilderTest tries more of them
      refuses(7, 0, 1, "epsilon (0.0) must be in [2.2250738585072014E-308, 1.0E290]");
      refuses(7, 1, 0, "smoothingFactor (0.0) must be in (0, 1]");
      refuses(7, 1, Double.NaN, "smoothingFactor (NaN) must be in (0, 1]");
    }
  }

  @Test
  void states_of_the_same_values_are_equal() {
    assertThat(state()).isEqualTo(state()).hasSameHashCodeAs(state());
  }

  @ParameterizedTest
  @CsvSource({
    "8, 0.001, 0.25, false, true",
    "7, 0.002, 0.25, false, true",
    "7, 0.001, 0.5, false, true",
    "7, 0.001, 0.25, true, true",
    "7, 0.001, 0.25, false, false"
  })
  void states_of_other_values_are_not(
      long batches, double epsilon, double a, boolean cumulative, boolean population) {
    BatchNormState other =
        new BatchNormState(GAMMA, BETA, MEAN, VAR, batches, epsilon, a, cumulative, population);
    assertThat(other).isNotEqualTo(state()).doesNotHaveSameHashCodeAs(state());
    assertThat(state().equals(null)).isFalse();
  }

  @Test
  void is_a_readable_table_as_text() {
    assertThat(state())
        .hasToString(
            String.join(
                System.lineSeparator(),
                "component             shape",
                "gamma                 (2)                2.00000      -4.00000",
                "beta                  (2)               0.500000      -0.00000",
                "runningMean           (2)                3.00000  4.90000e-324",
                "runningVar            (2)                0.00000  1.00000e+300",
                "batchesTracked                                 7",
                "epsilon                                    0.001",
                "smoothingFactor                             0.25",
                "cumulativeAverage                          false",
                "populationRunningVar                        true"));
  }

  static byte[] written(BatchNormState state) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(state);
    }
    return bytes.toByteArray();
  }

  static BatchNormState read(byte[] bytes) throws IOException, ClassNotFoundException {
    try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
      return (BatchNormState) in.readObject();
    }
  }

  @Test
  void java_serialization_keeps_every_bit() throws Exception {
    assertThat(read(written(state()))).isEqualTo(state());
  }

  @Test
  void a_file_that_was_tampered_with_is_refused() throws IOException {
    byte[] bytes = written(state());
    byte[] epsilon = ByteBuffer.allocate(8).putDouble(1e-3).array();
    int place = 0;
    while (!Arrays.equals(bytes, place, place + 8, epsilon, 0, 8)) {
      place++;
    }
    ByteBuffer.wrap(bytes).putDouble(place, Double.NaN);
    assertThatThrownBy(() -> read(bytes))
        .isInstanceOf(InvalidObjectException.class)
        .hasRootCauseMessage("epsilon (NaN) must be in [2.2250738585072014E-308, 1.0E290]");
  }
}
