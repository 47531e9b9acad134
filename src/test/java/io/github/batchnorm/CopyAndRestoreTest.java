package io.github.batchnorm;

import static io.github.batchnorm.BatchNormStateTest.read;
import static io.github.batchnorm.BatchNormStateTest.written;
import static io.github.batchnorm.Snapshot.assertGoOnAlike;
import static io.github.batchnorm.Snapshot.assertSameGraph;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.util.Arrays;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A layer that takes the place of another goes on as that one would have. */
@DisplayName("Copy and restore (6 x 5, seed 59)")
class CopyAndRestoreTest {
  private static final Problem P = Problem.of(6, 5, 59);
  private static final Problem NEXT = P.next(7, 60);

  /** Settings of every kind of average. */
  enum Kind {
    EXPONENTIAL(builder -> builder.smoothingFactor(0.3)),
    CUMULATIVE(BatchNormLayer.Builder::cumulativeAverage),
    POPULATION(builder -> builder.populationRunningVar(true)),
    POPULATION_CUMULATIVE(builder -> builder.cumulativeAverage().populationRunningVar(true));

    final UnaryOperator<BatchNormLayer.Builder> settings;

    Kind(UnaryOperator<BatchNormLayer.Builder> settings) {
      this.settings = settings;
    }

    BatchNormLayer trained(int batches) {
      BatchNormLayer layer = settings.apply(P.builder().epsilon(1e-3)).build();
      for (int batch = 0; batch < batches; batch++) {
        layer.forward(P.next(6 + batch, batch).x());
      }
      return layer;
    }
  }

  interface Make {
    BatchNormLayer apply(BatchNormLayer layer) throws Exception;
  }

  /** Ways to such a layer. */
  enum Way {
    OF_ITS_STATE(layer -> BatchNormLayer.of(layer.state())),
    BUILT_OF_ITS_STATE(layer -> BatchNormLayer.builder(layer.state()).build()),
    OF_A_FILE(layer -> BatchNormLayer.of(read(written(layer.state())))),
    COPIED(BatchNormLayer::copy),
    RESTORED(
        layer -> {
          BatchNormLayer other = new BatchNormLayer(P.d());
          other.forward(NEXT.x());
          other.restore(layer.state());
          return other;
        });

    final Make make;

    Way(Make make) {
      this.make = make;
    }
  }

  @Nested
  @ParameterizedClass(name = "{0}")
  @EnumSource
  class A_layer {
    @Parameter Way way;

    @ParameterizedTest
    @EnumSource
    void goes_on_as_the_first_would_have(Kind kind) throws Exception {
      for (int batches : new int[] {0, 9}) {
        BatchNormLayer layer = kind.trained(batches);
        BatchNormLayer other = way.make.apply(layer);
        for (int n : new int[] {7, 2, 8}) {
          assertThat(other.state()).isEqualTo(layer.state());
          assertGoOnAlike(other, layer, P.next(n, n));
        }
        assertThat(other.state()).isEqualTo(layer.state());
      }
    }

    @Test
    void has_no_graph_and_leaves_that_of_the_first() throws Exception {
      BatchNormLayer layer = P.trained();
      BatchNormLayer other = way.make.apply(layer);
      assertThatIllegalStateException()
          .isThrownBy(() -> other.backward(NEXT.dout()))
          .withMessage(
              "backward needs the graph of a forward: there was none since the layer was made or"
                  + " restored, or the last one failed");
      other.forward(NEXT.x());
      assertSameGraph(layer, P.trained(), P.dout());
    }

    @Test
    void shares_no_array_with_the_first() throws Exception {
      BatchNormLayer layer = Kind.EXPONENTIAL.trained(3);
      BatchNormLayer other = way.make.apply(layer);
      BatchNormState before = layer.state();
      spoil(layer, 4242);
      assertThat(other.state()).isEqualTo(before);
      BatchNormState spoilt = layer.state();
      spoil(other, 4343);
      assertThat(layer.state()).isEqualTo(spoilt);
    }
  }

  private static void spoil(BatchNormLayer layer, double value) {
    layer.forward(NEXT.x());
    Arrays.fill(layer.gamma(), value);
    Arrays.fill(layer.beta(), value);
  }

  @Nested
  class A_state {

    @ParameterizedTest
    @EnumSource
    void says_what_its_layer_is_made_of(Kind kind) {
      BatchNormLayer layer = kind.trained(9);
      BatchNormState state = layer.state();
      assertThat(state.gamma()).isEqualTo(layer.gamma()).isEqualTo(P.gamma());
      assertThat(state.beta()).isEqualTo(layer.beta()).isEqualTo(P.beta());
      assertThat(state.runningMean()).isEqualTo(layer.runningMean());
      assertThat(state.runningVar()).isEqualTo(layer.runningVar());
      assertThat(state.batchesTracked()).isEqualTo(layer.batchesTracked()).isEqualTo(9);
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

    @Test
    void is_not_changed_by_its_layer_nor_by_one_made_of_it() {
      BatchNormLayer layer = Kind.EXPONENTIAL.trained(3);
      BatchNormState state = layer.state();
      BatchNormState same = layer.state();
      spoil(layer, 4242);
      spoil(BatchNormLayer.of(state), 4343);
      assertThat(state).isEqualTo(same);
    }

    @Test
    void of_a_spoilt_gamma_is_refused_and_so_is_a_copy() {
      BatchNormLayer layer = P.layer();
      layer.gamma()[1] = Double.NaN;
      String message = "gamma[1] is NaN, expected a finite value";
      assertThatIllegalArgumentException().isThrownBy(layer::state).withMessage(message);
      assertThatIllegalArgumentException().isThrownBy(layer::copy).withMessage(message);
    }

    @Test
    void must_not_be_null() {
      assertThatNullPointerException()
          .isThrownBy(() -> BatchNormLayer.of(null))
          .withMessage("state is null");
    }

    @Test
    void of_the_largest_variance_and_epsilon_does_not_overflow() {
      double[] one = {1};
      double[] largest = {Double.MAX_VALUE};
      BatchNormState state =
          new BatchNormState(one, new double[1], new double[1], largest, 0, 1e290, 1, false, false);
      // 1e154 / √1.8e308
      assertThat(BatchNormLayer.of(state).infer(new double[] {1e154})[0]).isBetween(0.74, 0.75);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void a_copy_calls_for_help_as_the_layer_does(boolean parallel) throws InterruptedException {
    BatchNormLayer copy = BatchNormLayer.builder(256).parallel(parallel).build().copy();
    long before = tasksAtRest();
    for (int call = 0; call < 100; call++) { // a busy helper is not given a task
      copy.forward(new double[512][256]);
    }
    assertThat(Team.HELPERS.getTaskCount() > before).isEqualTo(parallel);
  }

  /** The number of tasks so far, once the helpers of earlier calls have left: it is exact then. */
  private static long tasksAtRest() throws InterruptedException {
    long tasks = -1;
    while (tasks != Team.HELPERS.getTaskCount()) {
      tasks = Team.HELPERS.getTaskCount();
      Thread.sleep(50);
    }
    return tasks;
  }

  @Test
  void a_builder_of_a_state_changes_what_is_asked_for_and_nothing_else() {
    double[] v = {2, 4};
    BatchNormState state = new BatchNormState(v, v, v, v, 7, 1e-3, 0.25, false, true);
    BatchNormLayer layer = BatchNormLayer.builder(state).epsilon(2).parallel(false).build();
    assertThat(layer.parallel()).isFalse();
    assertThat(layer.state()).isEqualTo(new BatchNormState(v, v, v, v, 7, 2, 0.25, false, true));
    assertThat(BatchNormLayer.builder(state).build().parallel()).isTrue();
    assertThat(BatchNormLayer.builder(state).cumulativeAverage().build().state())
        .isEqualTo(new BatchNormState(v, v, v, v, 7, 1e-3, 0.25, true, true));
    assertThat(BatchNormLayer.builder(state).populationRunningVar(false).build().state())
        .isEqualTo(new BatchNormState(v, v, v, v, 7, 1e-3, 0.25, false, false));
  }

  @Nested
  class Restore {
    private final BatchNormLayer layer = Kind.EXPONENTIAL.trained(1);

    @Test
    void leaves_the_live_arrays_and_the_choice_of_threads() {
      BatchNormLayer serial = BatchNormLayer.builder(5).parallel(false).build();
      double[] gamma = serial.gamma();
      double[] beta = serial.beta();
      serial.restore(layer.state());
      assertThat(serial.gamma()).isSameAs(gamma).isEqualTo(P.gamma());
      assertThat(serial.beta()).isSameAs(beta).isEqualTo(P.beta());
      assertThat(serial.parallel()).isFalse();
    }

    @Test
    void goes_back_to_an_earlier_state_also_with_spoilt_parameters() {
      BatchNormState best = layer.state();
      layer.forward(NEXT.x());
      Arrays.fill(layer.gamma(), Double.NaN);
      layer.restore(best);
      assertThat(layer.state()).isEqualTo(best);
    }

    @Test
    void of_another_number_of_features_is_refused_and_changes_nothing() {
      BatchNormLayer twin = Kind.EXPONENTIAL.trained(1);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.restore(new BatchNormLayer(2).state()))
          .withMessage("state has 2 features, expected 5");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.restore(new BatchNormLayer(1).state()))
          .withMessage("state has 1 feature, expected 5");
      assertThatNullPointerException()
          .isThrownBy(() -> layer.restore(null))
          .withMessage("state is null");
      assertSameGraph(layer, twin, P.dout());
      assertGoOnAlike(layer, twin, NEXT);
    }
  }
}
