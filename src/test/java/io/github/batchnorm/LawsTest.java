package io.github.batchnorm;

import static io.github.batchnorm.TestData.assertClose;
import static io.github.batchnorm.TestData.combine;
import static io.github.batchnorm.TestData.largest;
import static io.github.batchnorm.TestData.withColumn;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What holds for batch normalization whatever the numbers, on a seeded 33 x 6 problem. */
@DisplayName("Laws (33 x 6, seed 7)")
class LawsTest {
  private static final int N = 33;
  private static final int D = 6;
  private static final double EPS = 1e-5; // of a layer, if none is set

  private final Problem p = Problem.of(N, D, 7);
  private final double[][] x = p.x();
  private final double[][] dout = p.dout();
  private final double[] gamma = p.gamma();
  private final double[] beta = p.beta();

  private BatchNormGradients gradients(double[][] x, double[][] dout) {
    BatchNormLayer layer = p.layer();
    layer.forward(x);
    return layer.backward(dout);
  }

  private static double[] sums(double[][] values) {
    double[] sums = new double[D];
    Arrays.setAll(sums, j -> Arrays.stream(TestData.column(values, j)).sum());
    return sums;
  }

  private static double[][] map(double[][] values, double factor, double summand) {
    return combine(values, values, (v, same) -> factor * v + summand);
  }

  @Nested
  class Forward {

    @Test
    void the_mean_of_out_is_beta() {
      double[] mean = Arrays.stream(sums(p.layer().forward(x))).map(s -> s / N).toArray();
      assertClose(mean, beta, 1e-15);
    }

    @Test
    void the_deviation_of_out_is_gamma_times_root_of_var_over_var_plus_epsilon() {
      BatchNormLayer layer = p.layer();
      double[][] out = layer.forward(x);
      double[] var = layer.graph().var();
      for (int j = 0; j < D; j++) {
        double expected = Math.abs(gamma[j]) * Math.sqrt(var[j] / (var[j] + EPS));
        double mean = Arrays.stream(TestData.column(out, j)).average().getAsDouble();
        double squares =
            Arrays.stream(TestData.column(out, j)).map(v -> (v - mean) * (v - mean)).sum();
        assertThat(Math.sqrt(squares / N)).isCloseTo(expected, within(1e-14));
      }
    }

    @Test
    void adding_a_constant_to_x_changes_nothing_but_the_last_bit() {
      // a power of 2 and x rounded to multiples of 2^-30, so that the sum is exact
      double[][] rounded = combine(x, x, (v, same) -> Math.rint(v * 0x1p30) * 0x1p-30);
      double[][] shifted = map(rounded, 1, 0x1p20);
      assertClose(p.layer().forward(shifted), p.layer().forward(rounded), 1e-15);
    }

    @Test
    void scaling_x_changes_nothing_if_epsilon_is_scaled_along() {
      BatchNormLayer scaledEpsilon = p.builder().epsilon(4 * EPS).build();
      assertThat(scaledEpsilon.forward(map(x, 2, 0))).isDeepEqualTo(p.layer().forward(x));
    }

    @Test
    void a_negative_scale_turns_the_sign_of_xhat() {
      BatchNormLayer layer = p.trained();
      double[][] xhat = layer.graph().xhat();
      layer.forward(map(x, -1, 0));
      assertClose(layer.graph().xhat(), map(xhat, -1, 0), 0);
    }

    @Test
    void permuting_the_rows_permutes_out() {
      assertClose(p.layer().forward(reversed(x)), reversed(p.layer().forward(x)), 1e-15);
    }

    @Test
    void features_do_not_mix() {
      double[][] other = withColumn(x, 2, i -> x[i][2] * x[i][2]);
      double[][] out = p.layer().forward(x);
      double[][] otherOut = p.layer().forward(other);
      for (int j = 0; j < D; j++) {
        assertThat(Arrays.equals(TestData.column(out, j), TestData.column(otherOut, j)))
            .isEqualTo(j != 2);
      }
    }
  }

  @Nested
  class Backward {

    @Test
    void columns_of_dx_sum_to_zero() {
      double[][] dx = gradients(x, dout).dx();
      assertClose(sums(dx), new double[D], 1e-14, largest(dx));
    }

    @Test
    void columns_of_dx_are_orthogonal_to_xhat_up_to_epsilon() {
      BatchNormLayer layer = p.trained();
      BatchNormGradients gradients = layer.backward(dout);
      BatchNormGraph graph = layer.graph();
      // from the closed form: Σ dx * xhat = gamma * ivar * dgamma * ε / (var + ε)
      double[] expected = new double[D];
      for (int j = 0; j < D; j++) {
        double ivar = graph.ivar()[j];
        expected[j] = gamma[j] * ivar * gradients.dgamma()[j] * EPS * ivar * ivar;
      }
      double[] actual = sums(combine(gradients.dx(), graph.xhat(), (a, b) -> a * b));
      assertClose(actual, expected, 1e-14, largest(gradients.dx()));
    }

    @Test
    void dbeta_is_the_column_sums_of_dout() {
      assertClose(gradients(x, dout).dbeta(), sums(dout), 1e-15);
    }

    @Test
    void dgamma_is_the_column_sums_of_dout_times_xhat() {
      BatchNormLayer layer = p.trained();
      double[] expected = sums(combine(dout, layer.graph().xhat(), (a, b) -> a * b));
      assertClose(layer.backward(dout).dgamma(), expected, 1e-15);
    }

    @Test
    void a_zero_dout_gives_zero() {
      BatchNormGradients gradients = gradients(x, new double[N][D]);
      assertThat(largest(gradients.dx())).isZero();
      assertThat(largest(gradients.dgamma(), gradients.dbeta())).isZero();
    }

    @Test
    void it_is_linear_in_dout() {
      double[][] other = p.next(N, 8).dout();
      double[][] both = combine(dout, other, (a, b) -> 2 * a - 3 * b);
      BatchNormGradients ofBoth = gradients(x, both);
      BatchNormGradients of = gradients(x, dout);
      BatchNormGradients ofOther = gradients(x, other);
      assertClose(ofBoth.dx(), combine(of.dx(), ofOther.dx(), (a, b) -> 2 * a - 3 * b), 1e-14);
      assertClose(
          ofBoth.dgamma(), combine(of.dgamma(), ofOther.dgamma(), (a, b) -> 2 * a - 3 * b), 1e-14);
      assertClose(
          ofBoth.dbeta(), combine(of.dbeta(), ofOther.dbeta(), (a, b) -> 2 * a - 3 * b), 1e-14);
    }

    @Test
    void permuting_the_rows_permutes_dx() {
      assertClose(
          gradients(reversed(x), reversed(dout)).dx(), reversed(gradients(x, dout).dx()), 1e-14);
    }

    @Test
    void one_dout_at_a_time_gives_the_whole_jacobian() {
      double[][] sum = new double[N][D];
      for (int i = 0; i < N; i++) {
        double[][] one = new double[N][D];
        one[i] = dout[i];
        sum = combine(sum, gradients(x, one).dx(), Double::sum);
      }
      assertClose(sum, gradients(x, dout).dx(), 1e-13);
    }
  }

  @Nested
  class Infer {

    @Test
    void with_the_statistics_of_the_batch_it_equals_training_but_for_the_sample_variance() {
      BatchNormLayer layer = p.builder().smoothingFactor(1).build();
      layer.forward(x);
      BatchNormGraph graph = layer.graph();
      double[][] expected = new double[N][D];
      for (int i = 0; i < N; i++) {
        for (int j = 0; j < D; j++) {
          double sampleVar = graph.var()[j] * N / (N - 1);
          double xhat = (x[i][j] - graph.mu()[j]) / Math.sqrt(sampleVar + EPS);
          expected[i][j] = gamma[j] * xhat + beta[j];
        }
      }
      assertClose(layer.infer(x), expected, 1e-14);
    }

    @Test
    void before_any_training_it_normalizes_by_mean_0_and_variance_1() {
      double[][] out = p.layer().infer(x);
      assertThat(out[3][2])
          .isCloseTo(gamma[2] * x[3][2] / Math.sqrt(1 + EPS) + beta[2], within(1e-15));
    }
  }

  private static double[][] reversed(double[][] rows) {
    List<double[]> list = Arrays.asList(rows.clone());
    Collections.reverse(list);
    return list.toArray(double[][]::new);
  }
}
