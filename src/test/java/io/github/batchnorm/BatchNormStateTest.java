package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.assertSameBits;
import static io.github.batchnorm.Snapshot.bits;
import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestData.input;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
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
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is saved of a layer, and that a layer made of it goes on as the first would have. */
@DisplayName("State of a layer (seed 59)")
class BatchNormStateTest {
  private static final double[] GAMMA = {2, -4};
  private static final double[] BETA = {0.5, -0.0};
  private static final double[] MEAN = {3, Double.MIN_VALUE};
  private static final double[] VAR = {0, 1e300};

  private static BatchNormState state() {
    return new BatchNormState(GAMMA, BETA, MEAN, VAR, 7, 1e-3, 0.25, false, true);
  }

  private static double[] with(double[] values, int j, double value) {
    double[] copy = values.clone();
    copy[j] = value;
    return copy;
  }

  /** The arrays by name, with a state in which another array stands in the place of one. */
  enum ArrayComponent {
    GAMMA("gamma"),
    BETA("beta"),
    RUNNING_MEAN("runningMean"),
    RUNNING_VAR("runningVar");

    final String component;

    ArrayComponent(String component) {
      this.component = component;
    }

    BatchNormState in(double[] array) {
      BatchNormState s = state();
      return new BatchNormState(
          this == GAMMA ? array : s.gamma(),
          this == BETA ? array : s.beta(),
          this == RUNNING_MEAN ? array : s.runningMean(),
          this == RUNNING_VAR ? array : s.runningVar(),
          7,
          1e-3,
          0.25,
          false,
          true);
    }

    double[] of(BatchNormState state) {
      return switch (this) {
        case GAMMA -> state.gamma();
        case BETA -> state.beta();
        case RUNNING_MEAN -> state.runningMean();
        case RUNNING_VAR -> state.runningVar();
      };
    }
  }

  @Nested
  @ParameterizedClass(name = "{0}")
  @EnumSource(ArrayComponent.class)
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

  @ParameterizedTest
  @EnumSource(names = {"BETA", "RUNNING_MEAN", "RUNNING_VAR"})
  void the_other_arrays_must_have_as_many_values_as_gamma(ArrayComponent array) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> array.in(new double[1]))
        .withMessage(array.component + " has 1 value, expected 2");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> array.in(new double[3]))
        .withMessage(array.component + " has 3 values, expected 2");
  }

  @Nested
  class A_component {

    private static void refuses(
        double[] gamma, double[] var, long batches, double epsilon, double a, String message) {
      assertThatIllegalArgumentException()
          .isThrownBy(
              () -> new BatchNormState(gamma, BETA, MEAN, var, batches, epsilon, a, false, false))
          .withMessage(message);
    }

    @Test
    void gamma_must_have_a_value() {
      refuses(new double[0], VAR, 7, 1, 1, "gamma has 0 values, expected at least 1");
    }

    @Test
    void runningVar_must_not_be_negative() {
      refuses(
          GAMMA,
          with(VAR, 1, -1e-300),
          7,
          1,
          1,
          "runningVar[1] (-1.0E-300) must be >= 0; if another library rounded it below 0, add"
              + " epsilon to every variance and build the layer with a tiny epsilon");
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, Long.MIN_VALUE})
    void batchesTracked_must_not_be_negative(long batches) {
      refuses(GAMMA, VAR, batches, 1, 1, "batchesTracked (" + batches + ") must be >= 0");
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, -1, 1e-310, 1.1e290, Double.NaN, Double.POSITIVE_INFINITY})
    void epsilon_must_be_a_normal_number_that_overflows_nothing(double epsilon) {
      refuses(
          GAMMA,
          VAR,
          7,
          epsilon,
          1,
          "epsilon (" + epsilon + ") must be in [2.2250738585072014E-308, 1.0E290]");
    }

    @ParameterizedTest
    @ValueSource(
        doubles = {0, -0.0, -0.1, 1.0000000000000002, Double.NaN, Double.POSITIVE_INFINITY})
    void smoothingFactor_must_be_in_0_to_1_and_not_0(double a) {
      refuses(GAMMA, VAR, 7, 1, a, "smoothingFactor (" + a + ") must be in (0, 1]");
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

  /** Layers of every kind of average. */
  enum Kind {
    EXPONENTIAL(builder -> builder.smoothingFactor(0.3)),
    CUMULATIVE(BatchNormLayer.Builder::cumulativeAverage),
    POPULATION(builder -> builder.populationRunningVar(true)),
    POPULATION_CUMULATIVE(builder -> builder.cumulativeAverage().populationRunningVar(true));

    final UnaryOperator<BatchNormLayer.Builder> settings;

    Kind(UnaryOperator<BatchNormLayer.Builder> settings) {
      this.settings = settings;
    }

    BatchNormLayer layer(Random random) {
      return settings
          .apply(BatchNormLayer.builder(5).epsilon(1e-3))
          .gamma(gaussian(random, 5))
          .beta(gaussian(random, 5))
          .build();
    }
  }

  @Nested
  @ParameterizedClass(name = "{0} after {1} batches")
  @CsvSource({
    "EXPONENTIAL, 0",
    "EXPONENTIAL, 9",
    "CUMULATIVE, 0",
    "CUMULATIVE, 9",
    "POPULATION, 0",
    "POPULATION, 9",
    "POPULATION_CUMULATIVE, 9"
  })
  class A_layer_of_a_state {
    @Parameter(0)
    Kind kind;

    @Parameter(1)
    int batches;

    private final Random random = new Random(59);

    private BatchNormLayer trained() {
      BatchNormLayer layer = kind.layer(random);
      for (int batch = 0; batch < batches; batch++) {
        layer.forward(input(random, 6 + batch, 5));
      }
      return layer;
    }

    private void assertGoesOnLike(BatchNormLayer layer, BatchNormLayer other) {
      for (int batch = 0; batch < 3; batch++) {
        double[][] x = input(random, 7, 5);
        double[][] dout = gaussian(random, 7, 5);
        assertThat(bits(other.infer(x))).isEqualTo(bits(layer.infer(x)));
        assertThat(bits(other.inferBackward(x, dout)))
            .isEqualTo(bits(layer.inferBackward(x, dout)));
        assertThat(bits(other.forward(x))).isEqualTo(bits(layer.forward(x)));
        assertThat(bits(other.backward(dout))).isEqualTo(bits(layer.backward(dout)));
        assertThat(other.state()).isEqualTo(layer.state());
      }
    }

    @Test
    void goes_on_as_the_first_would_have() {
      BatchNormLayer layer = trained();
      assertGoesOnLike(layer, BatchNormLayer.of(layer.state()));
    }

    @Test
    void goes_on_after_java_serialization() throws Exception {
      BatchNormLayer layer = trained();
      BatchNormState read = (BatchNormState) read(written(layer.state()));
      assertThat(read).isEqualTo(layer.state());
      assertGoesOnLike(layer, BatchNormLayer.of(read));
    }

    @Test
    void copied_goes_on_too() {
      BatchNormLayer layer = trained();
      assertGoesOnLike(layer, layer.copy());
    }

    @Test
    void says_what_it_is_made_of() {
      BatchNormLayer layer = trained();
      BatchNormState state = layer.state();
      assertThat(state.gamma()).isEqualTo(layer.gamma()).isNotSameAs(layer.gamma());
      assertThat(state.beta()).isEqualTo(layer.beta()).isNotSameAs(layer.beta());
      assertThat(state.runningMean()).isEqualTo(layer.runningMean());
      assertThat(state.runningVar()).isEqualTo(layer.runningVar());
      assertThat(state.batchesTracked()).isEqualTo(layer.batchesTracked()).isEqualTo(batches);
      assertThat(state.epsilon()).isEqualTo(layer.epsilon()).isEqualTo(1e-3);
      assertThat(state.smoothingFactor())
          .isEqualTo(layer.smoothingFactor())
          .isEqualTo(kind == Kind.EXPONENTIAL ? 0.3 : 0.1);
      assertThat(state.cumulativeAverage())
          .isEqualTo(layer.cumulativeAverage())
          .isEqualTo(kind.name().endsWith("CUMULATIVE"));
      assertThat(state.populationRunningVar())
          .isEqualTo(layer.populationRunningVar())
          .isEqualTo(kind.name().startsWith("POPULATION"));
    }
  }

  private static byte[] written(Object object) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(object);
    }
    return bytes.toByteArray();
  }

  private static Object read(byte[] bytes) throws IOException, ClassNotFoundException {
    try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
      return in.readObject();
    }
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

  @Nested
  class A_layer_shares_no_array {
    private final Random random = new Random(60);
    private final BatchNormLayer layer = Kind.EXPONENTIAL.layer(random);

    private static void spoil(BatchNormLayer layer) {
      layer.forward(new double[][] {{1, 2, 3, 4, 5}, {5, 4, 3, 2, 0}});
      Arrays.fill(layer.gamma(), 4242);
      Arrays.fill(layer.beta(), 4242);
    }

    @Test
    void with_its_state() {
      BatchNormState state = layer.state();
      BatchNormState before = BatchNormLayer.of(state).state();
      spoil(layer);
      assertThat(state).isEqualTo(before);
    }

    @Test
    void with_the_state_it_is_made_of_nor_with_another_layer_of_it() {
      BatchNormState state = layer.state();
      BatchNormLayer other = BatchNormLayer.of(state);
      spoil(BatchNormLayer.of(state));
      assertThat(other.state()).isEqualTo(state).isEqualTo(layer.state());
    }

    @Test
    void with_its_copy() {
      BatchNormState before = layer.state();
      BatchNormLayer copy = layer.copy();
      spoil(layer);
      assertThat(copy.state()).isEqualTo(before);
      BatchNormState spoilt = layer.state();
      spoil(copy);
      assertThat(layer.state()).isEqualTo(spoilt);
    }
  }

  @Nested
  class A_copy {

    @Test
    void has_no_graph_and_says_so() {
      BatchNormLayer layer = new BatchNormLayer(1);
      layer.forward(new double[][] {{1}, {2}});
      assertThatIllegalStateException()
          .isThrownBy(() -> layer.copy().backward(new double[2][1]))
          .withMessage(
              "backward needs the graph of a forward: none was made yet, or the last one failed");
    }

    @Test
    void leaves_the_graph_of_the_layer() {
      BatchNormLayer layer = new BatchNormLayer(1);
      layer.forward(new double[][] {{1}, {2}, {6}});
      List<Object> before = bits(layer.graph());
      BatchNormLayer copy = layer.copy();
      copy.forward(new double[][] {{5}, {9}});
      assertThat(bits(layer.graph())).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void calls_for_help_as_the_layer_does(boolean parallel) {
      BatchNormLayer copy = BatchNormLayer.builder(256).parallel(parallel).build().copy();
      long before = Team.HELPERS.getTaskCount();
      for (int call = 0; call < 100; call++) { // a busy helper is not given a task
        copy.forward(new double[512][256]);
      }
      assertThat(Team.HELPERS.getTaskCount() > before).isEqualTo(parallel);
    }

    @Test
    void of_a_layer_with_a_spoilt_gamma_is_refused_and_so_is_its_state() {
      BatchNormLayer layer = new BatchNormLayer(2);
      layer.gamma()[1] = Double.NaN;
      String message = "gamma[1] is NaN, expected a finite value";
      assertThatIllegalArgumentException().isThrownBy(layer::state).withMessage(message);
      assertThatIllegalArgumentException().isThrownBy(layer::copy).withMessage(message);
    }
  }

  @Test
  void the_largest_variance_and_epsilon_do_not_overflow_together() {
    double[] largest = {Double.MAX_VALUE};
    BatchNormState state =
        new BatchNormState(
            new double[] {1}, new double[1], new double[1], largest, 0, 1e290, 1, false, false);
    // 1e154 / √1.8e308
    assertThat(BatchNormLayer.of(state).infer(new double[] {1e154})[0]).isBetween(0.74, 0.75);
  }

  @Test
  void batchesTracked_stays_at_the_largest_long() {
    BatchNormState state =
        new BatchNormState(
            new double[] {1},
            new double[1],
            new double[1],
            new double[1],
            Long.MAX_VALUE,
            1,
            1,
            true,
            false);
    BatchNormLayer layer = BatchNormLayer.of(state);
    layer.forward(new double[][] {{1}, {2}});
    assertThat(layer.state().batchesTracked()).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void a_builder_of_a_state_changes_what_is_asked_for_and_nothing_else() {
    BatchNormLayer layer = BatchNormLayer.builder(state()).epsilon(2).parallel(false).build();
    assertThat(layer.parallel()).isFalse();
    assertThat(layer.state())
        .isEqualTo(new BatchNormState(GAMMA, BETA, MEAN, VAR, 7, 2, 0.25, false, true));
    assertThat(BatchNormLayer.builder(state()).build().parallel()).isTrue();
    assertThat(BatchNormLayer.builder(state()).cumulativeAverage().build().state())
        .isEqualTo(new BatchNormState(GAMMA, BETA, MEAN, VAR, 7, 1e-3, 0.25, true, true));
    assertThat(BatchNormLayer.builder(state()).populationRunningVar(false).build().state())
        .isEqualTo(new BatchNormState(GAMMA, BETA, MEAN, VAR, 7, 1e-3, 0.25, false, false));
  }

  @Nested
  class Restore {
    private final Random random = new Random(71);
    private final BatchNormLayer layer = Kind.EXPONENTIAL.layer(random);
    private final double[][] x = gaussian(random, 4, 5);

    @ParameterizedTest
    @EnumSource
    void makes_the_layer_what_that_of_the_state_was(Kind kind) {
      BatchNormLayer other = kind.layer(random);
      other.forward(gaussian(random, 6, 5));
      double[] gamma = layer.gamma();
      double[] beta = layer.beta();
      layer.forward(x);
      layer.restore(other.state());
      assertThat(layer.gamma()).isSameAs(gamma);
      assertThat(layer.beta()).isSameAs(beta);
      assertThat(layer.state()).isEqualTo(other.state());
      assertSameBits(layer.infer(x), other.infer(x));
      assertSameBits(layer.inferBackward(x, x), other.inferBackward(x, x));
      assertSameBits(layer.forward(x), other.forward(x));
      assertSameBits(layer.backward(x), other.backward(x));
      assertThat(layer.state()).isEqualTo(other.state());
    }

    @Test
    void leaves_no_graph_and_the_choice_of_threads() {
      BatchNormLayer serial = BatchNormLayer.builder(5).parallel(false).build();
      serial.forward(x);
      serial.restore(layer.state());
      assertThat(serial.parallel()).isFalse();
      assertThatIllegalStateException()
          .isThrownBy(() -> serial.backward(x))
          .withMessageStartingWith("backward needs the graph of a forward");
    }

    @Test
    void goes_back_to_an_earlier_state_also_with_spoilt_parameters() {
      BatchNormState best = layer.state();
      layer.forward(x);
      Arrays.fill(layer.gamma(), Double.NaN);
      layer.restore(best);
      assertThat(layer.state()).isEqualTo(best);
    }

    @Test
    void of_another_number_of_features_is_refused_and_changes_nothing() {
      layer.forward(x);
      BatchNormState before = layer.state();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.restore(state()))
          .withMessage("state has 2 features, expected 5");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.restore(new BatchNormLayer(1).state()))
          .withMessage("state has 1 feature, expected 5");
      assertThatNullPointerException()
          .isThrownBy(() -> layer.restore(null))
          .withMessage("state is null");
      assertThat(layer.state()).isEqualTo(before);
      layer.backward(x); // the graph is still there
    }
  }

  @Test
  void a_layer_needs_a_state() {
    assertThatNullPointerException()
        .isThrownBy(() -> BatchNormLayer.of(null))
        .withMessage("state is null");
    assertThatNullPointerException()
        .isThrownBy(() -> BatchNormLayer.builder(null))
        .withMessage("state is null");
  }

  @Test
  void a_layer_as_text_has_its_settings_and_not_its_arrays() {
    BatchNormLayer layer = new BatchNormLayer(3);
    layer.forward(new double[][] {{1, 2, 3}, {4, 5, 6}});
    assertThat(layer)
        .hasToString(
            "BatchNormLayer[features=3, epsilon=1.0E-5, smoothingFactor=0.1,"
                + " cumulativeAverage=false, populationRunningVar=false, batchesTracked=1, parallel=true]");
    assertThat(
            BatchNormLayer.builder(1)
                .cumulativeAverage()
                .populationRunningVar(true)
                .epsilon(2)
                .parallel(false)
                .build())
        .hasToString(
            "BatchNormLayer[features=1, epsilon=2.0, smoothingFactor=0.1,"
                + " cumulativeAverage=true, populationRunningVar=true, batchesTracked=0, parallel=false]");
  }

  @Nested
  class Running_statistics_of_a_builder {
    private final BatchNormLayer.Builder builder = BatchNormLayer.builder(2);

    @Test
    void are_what_infer_normalizes_with() {
      double[] mean = {1, -2};
      double[] var = {4, 16};
      builder.runningStatistics(mean, var, 3).epsilon(12);
      Arrays.fill(mean, 4242);
      Arrays.fill(var, 4242);
      BatchNormLayer layer = builder.build();
      // (9 - 1) / √(4 + 12) and (-2 + 2) / √(16 + 12)
      assertThat(layer.infer(new double[] {9, -2})).containsExactly(2, 0);
      assertThat(layer.batchesTracked()).isEqualTo(3);
    }

    @Test
    void count_in_the_cumulative_average() {
      BatchNormLayer layer =
          builder
              .runningStatistics(new double[] {1, 1}, new double[] {4, 4}, 3)
              .cumulativeAverage()
              .build();
      layer.forward(new double[][] {{4, 8}, {6, 8}}); // means 5 and 8, sample variances 2 and 0
      // (3 * 1 + 5) / 4, (3 * 1 + 8) / 4 and (3 * 4 + 2) / 4, (3 * 4 + 0) / 4
      assertThat(layer.runningMean()).containsExactly(2, 2.75);
      assertThat(layer.runningVar()).containsExactly(3.5, 3);
    }

    @Test
    void of_population_variances_take_in_population_variances() {
      BatchNormLayer layer = builder.populationRunningVar(true).smoothingFactor(0.25).build();
      // population variances 1 and 4
      layer.forward(new double[][] {{0, 0}, {2, 4}});
      // 0.75 * 1 + 0.25 * 1 and 0.75 * 1 + 0.25 * 4
      assertThat(layer.runningVar()).containsExactly(1, 1.75);
    }

    @Test
    void must_not_be_null() {
      assertThatNullPointerException()
          .isThrownBy(() -> builder.runningStatistics(null, new double[2], 0))
          .withMessage("runningMean is null");
      assertThatNullPointerException()
          .isThrownBy(() -> builder.runningStatistics(new double[2], null, 0))
          .withMessage("runningVar is null");
    }

    @Test
    void that_break_a_rule_are_refused_and_leave_the_builder_as_it_was() {
      builder.runningStatistics(new double[] {1, 2}, new double[] {3, 4}, 5);
      refuses(new double[1], new double[2], 0, "runningMean has 1 value, expected 2");
      refuses(new double[2], new double[3], 0, "runningVar has 3 values, expected 2");
      refuses(
          new double[] {0, Double.NaN},
          new double[2],
          0,
          "runningMean[1] is NaN, expected a finite value");
      refuses(
          new double[2],
          new double[] {0, Double.POSITIVE_INFINITY},
          0,
          "runningVar[1] is Infinity, expected a finite value");
      refuses(
          new double[2],
          new double[] {-1, 0},
          0,
          "runningVar[0] (-1.0) must be >= 0; if another"
              + " library rounded it below 0, add epsilon to every variance and build the layer with"
              + " a tiny epsilon");
      refuses(new double[2], new double[2], -1, "batchesTracked (-1) must be >= 0");
      BatchNormState state = builder.build().state();
      assertThat(state.runningMean()).containsExactly(1, 2);
      assertThat(state.runningVar()).containsExactly(3, 4);
      assertThat(state.batchesTracked()).isEqualTo(5);
    }

    private void refuses(double[] mean, double[] var, long batches, String message) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> builder.runningStatistics(mean, var, batches))
          .withMessage(message);
    }
  }

  @Nested
  class Infer_of_one_row {
    private final Random random = new Random(61);
    private final BatchNormLayer layer = Kind.EXPONENTIAL.layer(random);
    private final double[] row = gaussian(random, 5);

    Infer_of_one_row() {
      layer.forward(input(random, 9, 5));
    }

    @Test
    void gives_the_bits_of_the_matrix_form() {
      double[] expected = layer.infer(new double[][] {row})[0];
      double[] same = row.clone();
      assertThat(bits(layer.infer(row))).isEqualTo(bits(expected));
      assertThat(row).isEqualTo(same);
      double[] out = new double[5];
      assertThat(layer.infer(row, out)).isSameAs(out);
      assertThat(bits(out)).isEqualTo(bits(expected));
      assertThat(layer.infer(same, same)).isSameAs(same);
      assertThat(bits(same)).isEqualTo(bits(expected));
    }

    @Test
    void refuses_what_is_no_row_of_the_layer() {
      assertThatNullPointerException()
          .isThrownBy(() -> layer.infer((double[]) null))
          .withMessage("row is null");
      assertThatNullPointerException()
          .isThrownBy(() -> layer.infer(row, null))
          .withMessage("out is null");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.infer(new double[4]))
          .withMessage("row has 4 values, expected 5");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.infer(row, new double[6]))
          .withMessage("out has 6 values, expected 5");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3, 4})
    void refuses_a_value_that_is_not_finite_and_in_place_writes_nothing(int j) {
      double[] bad = with(row, j, Double.NaN);
      String message = "row[" + j + "] is NaN, expected a finite value";
      assertThatIllegalArgumentException().isThrownBy(() -> layer.infer(bad)).withMessage(message);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.infer(bad, new double[5]))
          .withMessage(message);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.infer(bad, bad))
          .withMessage(message);
      assertThat(bits(bad)).isEqualTo(bits(with(row, j, Double.NaN)));
    }

    @Test
    void may_overflow_also_in_place() {
      layer.gamma()[1] = 1e300;
      double[] large = with(row, 1, 1e300);
      double[] out = layer.infer(large);
      assertThat(out[1]).isInfinite();
      assertThat(layer.infer(large, large)).isSameAs(large).isEqualTo(out);
    }

    @Test
    void refuses_a_gamma_that_an_optimizer_has_spoilt() {
      layer.gamma()[2] = Double.NEGATIVE_INFINITY;
      for (double[] out : new double[][] {new double[5], row}) {
        assertThatIllegalArgumentException()
            .isThrownBy(() -> layer.infer(row, out))
            .withMessage("gamma[2] is -Infinity, expected a finite value");
      }
    }
  }
}
