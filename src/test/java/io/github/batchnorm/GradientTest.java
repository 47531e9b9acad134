package io.github.batchnorm;

import static io.github.batchnorm.TestData.assertClose;
import static io.github.batchnorm.TestData.combine;
import static io.github.batchnorm.TestData.gaussian;
import static io.github.batchnorm.TestData.input;
import static io.github.batchnorm.TestData.rows;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Against central differences, with a random upstream gradient and at least 3 rows: with dout = 1,
 * or with 2 rows, the true dx is 0 up to ε and wrong code passes.
 */
class GradientTest {
  private static final double TOLERANCE = 1e-7;

  /** One seeded problem; the display name says all that is needed to make it again. */
  record Problem(int n, int d, double eps, String sign, long seed) {
    private Random random() {
      return new Random(seed);
    }

    double[][] x() {
      return input(random(), n, d);
    }

    double[][] dout() {
      return gaussian(new Random(seed + 1), n, d);
    }

    double[] beta() {
      return gaussian(new Random(seed + 2), d);
    }

    double[] gamma() {
      double[] gamma = gaussian(new Random(seed + 3), d);
      return switch (sign) {
        case "zero" -> new double[d];
        case "negative" -> Arrays.stream(gamma).map(g -> -0.5 - Math.abs(g)).toArray();
        default -> gamma;
      };
    }

    BatchNormLayer layer(double[] gamma, double[] beta) {
      return BatchNormLayer.builder(d).gamma(gamma).beta(beta).epsilon(eps).build();
    }

    BatchNormLayer layer() {
      return layer(gamma(), beta());
    }

    double[] spread() {
      return new NaiveGraph(x(), gamma(), beta(), eps).sqrtvar;
    }
  }

  static List<Problem> problems() {
    List<Problem> problems = new ArrayList<>();
    for (int n : new int[] {3, 4, 7, 32}) {
      for (int d : new int[] {1, 2, 5}) {
        for (double eps : new double[] {1e-3, 1e-5, 1e-10}) {
          for (String sign : List.of("random", "zero", "negative")) {
            problems.add(new Problem(n, d, eps, sign, 1000 + problems.size()));
          }
        }
      }
    }
    return problems;
  }

  private static double[] ones(int d) {
    double[] ones = new double[d];
    Arrays.fill(ones, 1);
    return ones;
  }

  @Nested
  class Training {
    static List<Problem> problems() {
      return GradientTest.problems();
    }

    @ParameterizedTest
    @MethodSource("problems")
    void dx(Problem p) {
      BatchNormLayer layer = p.layer();
      layer.forward(p.x());
      double[][] numeric =
          CentralDifferences.gradient(x -> p.layer().forward(x), p.x(), p.dout(), p.spread());
      assertClose(layer.backward(p.dout()).dx(), numeric, TOLERANCE);
    }

    @ParameterizedTest
    @MethodSource("problems")
    void dgamma_and_dbeta(Problem p) {
      BatchNormLayer layer = p.layer();
      layer.forward(p.x());
      BatchNormGradients gradients = layer.backward(p.dout());
      UnaryOperator<double[][]> byGamma = g -> p.layer(g[0], p.beta()).forward(p.x());
      UnaryOperator<double[][]> byBeta = b -> p.layer(p.gamma(), b[0]).forward(p.x());
      double[] spread = ones(p.d());
      assertClose(
          rows(1, gradients.dgamma()),
          CentralDifferences.gradient(byGamma, rows(1, p.gamma()), p.dout(), spread),
          TOLERANCE);
      assertClose(
          rows(1, gradients.dbeta()),
          CentralDifferences.gradient(byBeta, rows(1, p.beta()), p.dout(), spread),
          TOLERANCE);
    }
  }

  @Nested
  class Inference {
    static List<Problem> problems() {
      return GradientTest.problems();
    }

    private static BatchNormLayer trained(Problem p, double[] gamma, double[] beta) {
      BatchNormLayer layer = p.layer(gamma, beta);
      layer.forward(p.x());
      layer.forward(combine(p.x(), p.dout(), Double::sum));
      return layer;
    }

    @ParameterizedTest
    @MethodSource("problems")
    void dx(Problem p) {
      BatchNormLayer layer = trained(p, p.gamma(), p.beta());
      double[][] numeric =
          CentralDifferences.gradient(layer::infer, p.x(), p.dout(), layer.runningVar());
      assertClose(layer.inferBackward(p.x(), p.dout()).dx(), numeric, TOLERANCE);
    }

    @ParameterizedTest
    @MethodSource("problems")
    void dgamma_and_dbeta(Problem p) {
      BatchNormGradients gradients = trained(p, p.gamma(), p.beta()).inferBackward(p.x(), p.dout());
      UnaryOperator<double[][]> byGamma = g -> trained(p, g[0], p.beta()).infer(p.x());
      UnaryOperator<double[][]> byBeta = b -> trained(p, p.gamma(), b[0]).infer(p.x());
      double[] spread = ones(p.d());
      assertClose(
          rows(1, gradients.dgamma()),
          CentralDifferences.gradient(byGamma, rows(1, p.gamma()), p.dout(), spread),
          TOLERANCE);
      assertClose(
          rows(1, gradients.dbeta()),
          CentralDifferences.gradient(byBeta, rows(1, p.beta()), p.dout(), spread),
          TOLERANCE);
    }
  }

  @Nested
  class Composite {
    static List<Problem> problems() {
      return GradientTest.problems();
    }

    /** Batch norm, tanh, batch norm. */
    record Network(BatchNormLayer first, BatchNormLayer second) {
      static Network of(Problem p) {
        // gamma + 1.5 in the first: with gamma = 0 nothing would get through
        double[] gamma = Arrays.stream(p.gamma()).map(g -> g + 1.5).toArray();
        return new Network(p.layer(gamma, p.beta()), p.layer());
      }

      double[][] forward(double[][] x) {
        return second.forward(tanh(first.forward(x)));
      }

      /** The derivative by x of {@code Σ dout * forward(x)}. */
      double[][] backward(double[][] x, double[][] dout) {
        double[][] hidden = tanh(first.forward(x));
        second.forward(hidden);
        double[][] dhidden = second.backward(dout).dx();
        return first.backward(combine(dhidden, hidden, (d, h) -> d * (1 - h * h))).dx();
      }

      private static double[][] tanh(double[][] values) {
        return combine(values, values, (a, same) -> Math.tanh(a));
      }
    }

    @ParameterizedTest
    @MethodSource("problems")
    void dx(Problem p) {
      Network network = Network.of(p);
      double[][] numeric =
          CentralDifferences.gradient(network::forward, p.x(), p.dout(), p.spread());
      assertClose(network.backward(p.x(), p.dout()), numeric, TOLERANCE);
    }
  }

  /** Tests of the test: it must reject the mistakes that people make. */
  @Nested
  class Mutants {
    static Stream<Arguments> mutants() {
      return Arrays.stream(NaiveGraph.Mutant.values())
          .filter(mutant -> mutant != NaiveGraph.Mutant.NONE)
          .flatMap(
              mutant ->
                  problems().stream()
                      .filter(p -> !p.sign().equals("zero")) // then dx = 0 in every variant
                      .map(p -> Arguments.of(mutant, p)));
    }

    @ParameterizedTest
    @MethodSource("mutants")
    void a_wrong_backward_pass_is_rejected(NaiveGraph.Mutant mutant, Problem p) {
      double[][] numeric =
          CentralDifferences.gradient(x -> p.layer().forward(x), p.x(), p.dout(), p.spread());
      assertClose(dx(p, NaiveGraph.Mutant.NONE), numeric, TOLERANCE);
      assertThatThrownBy(() -> assertClose(dx(p, mutant), numeric, TOLERANCE))
          .isInstanceOf(AssertionError.class);
    }

    private static double[][] dx(Problem p, NaiveGraph.Mutant mutant) {
      return new NaiveGraph(p.x(), p.gamma(), p.beta(), p.eps()).backward(p.dout(), mutant).dx;
    }
  }
}
