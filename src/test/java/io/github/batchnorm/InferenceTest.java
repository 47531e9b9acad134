package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.assertSameBits;
import static io.github.batchnorm.Snapshot.bits;
import static io.github.batchnorm.TestData.copy;
import static io.github.batchnorm.TestData.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What infer and inferBackward give; {@link RunningStatisticsTest} has the averages they take. */
@DisplayName("Inference (9 x 5, seed 61)")
class InferenceTest {
  private static final Problem P = Problem.of(9, 5, 61);

  private final BatchNormLayer layer = P.trained();
  private final double[] row = P.dout()[0].clone();

  private static void refuses(String message, ThrowingCallable call) {
    assertThatIllegalArgumentException().isThrownBy(call).withMessage(message);
  }

  @Test
  void every_row_stands_for_itself() {
    double[][] out = layer.infer(P.x());
    for (int i = 0; i < P.n(); i++) {
      assertThat(layer.infer(new double[][] {P.x()[i]})[0]).isEqualTo(out[i]);
    }
  }

  /** As the Javadoc of parallel says: helpers come from 65,536 values on. */
  @ParameterizedTest
  @CsvSource({"63, 1", "64, 2", "127, 3"})
  void the_rows_go_to_several_threads_if_they_are_many(int n, int parts) {
    assertThat(Inference.parts(n, 1024)).isEqualTo(parts);
  }

  @Test
  void each_part_has_32768_values_or_more_and_whole_rows() {
    assertThat(Inference.parts(Integer.MAX_VALUE, 1)).isEqualTo(65_535);
    assertThat(Inference.parts(3, 30_000)).isEqualTo(1);
    assertThat(Inference.parts(4, 30_000)).isEqualTo(2);
  }

  @Test
  void a_result_may_overflow_also_in_place() {
    layer.gamma()[1] = 1e300;
    double[] large = with(row, 1, 1e300);
    double[] out = layer.infer(large);
    assertThat(out[1]).isInfinite();
    double[][] x = {row.clone(), large.clone()};
    assertThat(layer.infer(x)[1]).isEqualTo(out);
    assertThat(layer.infer(x, x.clone())[1]).isEqualTo(out);
    assertThat(layer.infer(large, large)).isSameAs(large).isEqualTo(out);
  }

  @Test
  void a_parameter_that_an_optimizer_has_spoilt_is_refused_and_in_place_nothing_is_written() {
    double[][] x = copy(P.x());
    for (double[] spoilt : new double[][] {layer.gamma(), layer.beta()}) {
      String parameter = spoilt == layer.gamma() ? "gamma" : "beta";
      String message = parameter + "[2] is -Infinity, expected a finite value";
      double good = spoilt[2];
      spoilt[2] = Double.NEGATIVE_INFINITY;
      refuses(message, () -> layer.infer(x));
      refuses(message, () -> layer.infer(x, x));
      refuses(message, () -> layer.infer(x[0]));
      refuses(message, () -> layer.infer(x[0], x[0]));
      spoilt[2] = good;
    }
    assertSameBits(x, P.x());
  }

  @Nested
  class Of_one_row {

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
      refuses("row has 4 values, expected 5", () -> layer.infer(new double[4]));
      refuses("row has 4 values, expected 5", () -> layer.infer(new double[4], new double[5]));
      refuses("row has 6 values, expected 5", () -> layer.infer(new double[6], new double[5]));
      refuses("out has 6 values, expected 5", () -> layer.infer(row, new double[6]));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3, 4})
    void refuses_a_value_that_is_not_finite_and_in_place_writes_nothing(int j) {
      double[] bad = with(row, j, Double.NaN);
      String message = "row[" + j + "] is NaN, expected a finite value";
      refuses(message, () -> layer.infer(bad));
      refuses(message, () -> layer.infer(bad, new double[5]));
      refuses(message, () -> layer.infer(bad, bad));
      assertThat(bits(bad)).isEqualTo(bits(with(row, j, Double.NaN)));
    }
  }
}
