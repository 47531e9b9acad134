package io.github.batchnorm;

import static io.github.batchnorm.TestData.assertClose;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Against exact arithmetic (exact.txt: mpmath with 80 digits, rounded once), on cases where other
 * implementations lose most of their digits.
 */
class ExactTest {
  /** Of the largest magnitude: 36 roundings. */
  private static final double TOLERANCE = 4e-15;

  static List<Vectors> cases() {
    return Vectors.read("exact.txt");
  }

  @Test
  void all_13_cases_are_read() {
    assertThat(cases()).hasSize(13);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void out_and_gradients_keep_their_digits(Vectors exact) {
    BatchNormLayer layer = exact.layer().build();
    double[][] out = layer.forward(exact.matrix("x"));
    BatchNormGradients gradients = layer.backward(exact.matrix("dout"));
    assertClose(out, exact.matrix("out"), TOLERANCE);
    assertClose(gradients.dx(), exact.matrix("dx"), TOLERANCE);
    assertClose(gradients.dgamma(), exact.vector("dgamma"), TOLERANCE);
    assertClose(gradients.dbeta(), exact.vector("dbeta"), TOLERANCE);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void mu_and_var_keep_their_digits(Vectors exact) {
    BatchNormLayer layer = exact.layer().build();
    layer.forward(exact.matrix("x"));
    assertClose(layer.graph().mu(), exact.vector("mu"), TOLERANCE);
    assertClose(layer.graph().var(), exact.vector("var"), TOLERANCE);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void a_constant_column_gives_exactly_zero(Vectors exact) {
    double[][] x = exact.matrix("x");
    BatchNormLayer layer = exact.layer().build();
    layer.forward(x);
    double[][] xhat = layer.graph().xhat();
    for (int j = 0; j < x[0].length; j++) {
      double first = x[0][j];
      if (Arrays.stream(TestData.column(x, j)).allMatch(value -> value == first)) {
        assertThat(TestData.column(xhat, j)).containsOnly(0);
      }
    }
  }
}
