package io.github.batchnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Locale;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where numbers, arrays and threads come to an end. */
class LimitsTest {
  private static BatchNormLayer layer(double gamma) {
    return BatchNormLayer.builder(1).gamma(new double[] {gamma}).build();
  }

  @Nested
  class Overflow {

    @Test
    void of_gamma_times_ivar_is_refused() {
      // ivar = 1 / √1e-5 = 316, times 1e306 it overflows
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer(1e306).forward(new double[][] {{3}, {3}}))
          .withMessage("gamma * ivar of column 0 (Infinity) must be finite");
    }

    @Test
    void of_var_plus_epsilon_is_refused() {
      // 2 * (9e153)² = 1.62e308 is finite, and var = 8.1e307; with 1.8e308 it is not
      BatchNormLayer layer = BatchNormLayer.builder(1).epsilon(Double.MAX_VALUE).build();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.forward(new double[][] {{-9e153}, {9e153}}))
          .withMessage("sqrtvar of column 0 (Infinity) must be finite");
    }

    @Test
    void of_dbeta_is_refused_under_its_name() {
      BatchNormLayer layer = layer(1);
      layer.forward(new double[][] {{3}, {3}});
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.backward(new double[][] {{1e308}, {1e308}}))
          .withMessage("dbeta of column 0 (Infinity) must be finite");
    }
  }

  @Test
  void a_tiny_epsilon_does_not_spoil_a_constant_column() {
    // ivar = 1 / √1e-320 = 1e160, and its square overflows
    BatchNormLayer layer = BatchNormLayer.builder(1).epsilon(1e-320).build();
    layer.forward(new double[][] {{3}, {3}});
    assertThat(layer.backward(new double[][] {{1}, {1}}).dgamma()).containsExactly(0);
  }

  @Nested
  class Cache {

    /** 2^16 times the same row of 2^15 values: 2^31 values, in little memory. */
    private static double[][] rows() {
      double[][] rows = new double[1 << 16][];
      Arrays.fill(rows, new double[1 << 15]);
      return rows;
    }

    @Test
    void of_more_values_than_an_array_holds_is_refused() {
      BatchNormLayer layer = new BatchNormLayer(1 << 15);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.forward(rows(), rows()))
          .withMessage(
              "x has 65536 x 32768 values, the cache holds at most 2147483639: build the layer with"
                  + " cacheGraph(false)");
    }
  }

  @Nested
  class WithoutTheCache {
    private final BatchNormLayer layer = BatchNormLayer.builder(1).cacheGraph(false).build();
    private final double[][] x = {{1}, {2}, {6}};

    @Test
    void an_out_that_is_x_is_refused_and_x_unharmed() {
      refusesToShare(0, x);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void an_out_that_shares_a_row_is_refused_and_x_unharmed(int shared) {
      refusesToShare(shared, new double[][] {{7}, {8}, x[shared]});
      refusesToShare(shared, new double[][] {x[shared], {7}, {8}});
    }

    private void refusesToShare(int shared, double[][] out) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layer.forward(x, out))
          .withMessage(
              "out shares x[%d] (a row that backward needs) and must not: build the layer with"
                  + " cacheGraph(true)",
              shared);
      assertThat(x).isDeepEqualTo(new double[][] {{1}, {2}, {6}});
      assertThat(layer.batchesTracked()).isZero();
    }

    @Test
    void an_out_of_its_own_is_accepted_even_with_the_same_values() {
      double[][] out = {{1}, {2}, {6}};
      assertThat(layer.forward(x, out)).isSameAs(out);
      assertThat(layer.graph().xmu()).isDeepEqualTo(new double[][] {{-2}, {-1}, {3}});
    }
  }

  @Nested
  class Threads {

    @Test
    void what_a_part_throws_reaches_the_caller() {
      RuntimeException exception = new IllegalStateException("on purpose");
      assertThatThrownBy(() -> Parallel.forEach(3, part -> fail(part, exception)))
          .isSameAs(exception);
      Error error = new AssertionError("on purpose");
      assertThatThrownBy(() -> Parallel.forEach(3, part -> fail(part, error))).isSameAs(error);
    }

    private static void fail(int part, Throwable problem) {
      if (part == 1 && problem instanceof RuntimeException e) {
        throw e;
      }
      if (part == 1 && problem instanceof Error e) {
        throw e;
      }
    }
  }

  @Test
  void messages_do_not_depend_on_the_locale() {
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.forLanguageTag("ar-EG"));
    try {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new BatchNormLayer(0))
          .withMessage("features (0) must be >= 1");
    } finally {
      Locale.setDefault(before);
    }
  }
}
