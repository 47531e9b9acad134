package io.github.batchnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Where numbers come to an end: the largest double is 1.8e308, the smallest normal one 2.2e-308.
 */
class LimitsTest {
  private static final double MAX = Double.MAX_VALUE;

  private static BatchNormLayer.Builder layer(double... gamma) {
    return BatchNormLayer.builder(gamma.length).gamma(gamma);
  }

  private static void refuses(String overflow, ThrowingCallable call) {
    assertThatIllegalArgumentException()
        .isThrownBy(call)
        .withMessage(overflow + " must be finite: it overflows");
  }

  private static double[][] column(double... values) {
    return Arrays.stream(values).mapToObj(v -> new double[] {v}).toArray(double[][]::new);
  }

  /** A test for each node that can be the first of the walk to overflow. */
  @TestFactory
  Stream<DynamicTest> overflow_in_forward_names() {
    double[][] manyColumns = {{3, 1e200, MAX}, {3, -1e200, -MAX}};
    return Stream.of(
        // two values are too far apart: x - shift = -MAX - MAX
        forward("mu of column 0 (-Infinity)", layer(1), column(MAX, -MAX)),
        // a square overflows: (1e200)²
        forward("var of column 0 (Infinity)", layer(1), column(1e200, -1e200)),
        // only the sum of the squares overflows: (1e154)² = 1e308, and 2e308 is too large
        forward("var of column 0 (Infinity)", layer(1), column(1e154, -1e154)),
        // ivar = 1 / √1e-5 = 316, times 1e306 it overflows
        forward("gamma * ivar of column 0 (Infinity)", layer(1e306), column(3, 3)),
        // the first node, whatever the column
        forward("mu of column 2 (-Infinity)", layer(1e306, 1, 1), manyColumns));
  }

  private static DynamicTest forward(
      String overflow, BatchNormLayer.Builder builder, double[][] x) {
    BatchNormLayer layer = builder.build();
    return DynamicTest.dynamicTest(
        overflow,
        () -> {
          refuses(overflow, () -> layer.forward(x));
          refuses(overflow, () -> layer.forward(x, new double[x.length][x[0].length]));
          refuses(overflow, () -> layer.forward(x, x));
        });
  }

  /**
   * A test for each node that can be the first of the walk to overflow. {@code dsq = dvar / N} and
   * {@code dx2 = dmu / N} cannot.
   */
  @TestFactory
  Stream<DynamicTest> overflow_in_backward_names() {
    // var = (1e-150)² = 1e-300, ivar = 1 / √2e-300 = 7e149, ivar² = 5e299
    BatchNormLayer.Builder smallEpsilon = layer(1).epsilon(1e-300);
    double[][] smallX = column(1e-150, -1e-150);
    double[][] manyColumns = {{5, 1, 3}, {5, -1, 3}};
    double[][] manyDouts = {{1e300, 1e308, 1e308}, {1e300, -1e308, 1e308}};
    return Stream.of(
        // Σ dout = 2e308
        backward("dbeta of column 0 (Infinity)", layer(1), column(3, 3), column(1e308, 1e308)),
        // xmu = ±1, and Σ dout * xmu = 2e308
        backward("dgamma of column 0 (Infinity)", layer(1), column(1, -1), column(1e308, -1e308)),
        // xmu = {-5/3, -2/3, 7/3} * 1e100, so Σ dout * xmu = 9e200, times 1e110; ivar = 5.9e-101
        backward(
            "divar of column 0 (Infinity)",
            layer(1e110),
            column(-1e100, 0, 3e100),
            column(1e100, -2e100, 4e100)),
        // divar = 2e10, and -ivar² * divar = -1e310
        backward("dsqrtvar of column 0 (-Infinity)", smallEpsilon, smallX, column(1e160, -1e160)),
        // divar = 2e-100, dsqrtvar = -1e200, and 0.5 * ivar * dsqrtvar = -3.5e349
        backward("dvar of column 0 (-Infinity)", smallEpsilon, smallX, column(1e50, -1e50)),
        // xmu = 0; gamma * ivar = 3e102, and Σ dout = 2e300
        backward("dmu of column 0 (-Infinity)", layer(1e100), column(5, 5), column(1e300, 1e300)),
        // the first node, whatever the column
        backward("dbeta of column 2 (Infinity)", layer(1e100, 1, 1), manyColumns, manyDouts));
  }

  private static DynamicTest backward(
      String overflow, BatchNormLayer.Builder builder, double[][] x, double[][] dout) {
    BatchNormLayer layer = builder.build();
    layer.forward(x);
    return DynamicTest.dynamicTest(
        overflow,
        () -> {
          refuses(overflow, () -> layer.backward(dout));
          refuses(overflow, () -> layer.backward(dout, new double[x.length][x[0].length]));
          refuses(overflow, () -> layer.backward(dout, dout));
          refuses(overflow, () -> layer.backwardGraph(dout));
        });
  }

  @Nested
  class Overflow_in_inferBackward_names {

    @Test
    void gamma_times_ivar() {
      BatchNormLayer layer = layer(1).smoothingFactor(1).build();
      layer.forward(new double[][] {{3}, {3}}); // running variance 0, ivar = 316
      layer.gamma()[0] = 1e306;
      refuses(
          "gamma * ivar of column 0 (Infinity)",
          () -> layer.inferBackward(new double[][] {{3}}, new double[][] {{0}}));
    }

    @Test
    void dgamma() {
      // 1e200 * 1e200, as the mean is 0 before training
      refuses(
          "dgamma of column 0 (Infinity)",
          () -> layer(1).build().inferBackward(new double[][] {{1e200}}, new double[][] {{1e200}}));
    }

    @Test
    void dbeta() {
      // Σ dout = 2e308; xhat = 0
      double[][] dout = {{1e308}, {1e308}};
      refuses(
          "dbeta of column 0 (Infinity)",
          () -> layer(1).build().inferBackward(new double[2][1], dout));
    }
  }

  @Test
  void the_smallest_epsilon_does_not_spoil_a_constant_column() {
    // 2^-1022, so that ivar = 2^511, and ivar² is still finite
    BatchNormLayer layer = layer(1).epsilon(Double.MIN_NORMAL).build();
    double[][] out = layer.forward(new double[][] {{0.1}, {0.1}, {0.1}});
    assertThat(out).isDeepEqualTo(new double[3][1]);
    BatchNormGradients gradients = layer.backward(new double[][] {{1}, {4}, {1}});
    assertThat(gradients.dgamma()).containsExactly(0);
    assertThat(gradients.dbeta()).containsExactly(6);
    // ivar * (dout - 6 / 3)
    assertThat(gradients.dx()).isDeepEqualTo(new double[][] {{-0x1p511}, {0x1p512}, {-0x1p511}});
  }

  @Test
  void the_first_wrong_row_of_many_is_named() {
    double[][] x = new double[50_000][1];
    x[49_999] = new double[2];
    x[30_001] = new double[3];
    x[30_002] = null;
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new BatchNormLayer(1).infer(x))
        .withMessage("x[30001] has 3 values, expected 1");
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
