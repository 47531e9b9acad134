package io.github.batchnorm;

import static io.github.batchnorm.TestData.assertClose;
import static io.github.batchnorm.TestData.combine;
import static io.github.batchnorm.TestData.rows;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
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
  record Case(int n, int d, double eps, String sign, long seed) {
    Problem problem() {
      Problem p = Problem.of(n, d, seed);
      double[] gamma =
          switch (sign) {
            case "zero" -> new double[d];
            case "negative" -> Arrays.stream(p.gamma()).map(g -> -0.5 - Math.abs(g)).toArray();
            default -> p.gamma();
          };
      return new Problem(p.x(), p.dout(), gamma, p.beta());
    }

    BatchNormLayer layer(double[] gamma, double[] beta) {
      return BatchNormLayer.builder(d).gamma(gamma).beta(beta).epsilon(eps).build();
    }
  }

  static List<Case> cases() {
    List<Case> cases = new ArrayList<>();
    for (int n : new int[] {3, 4, 7, 32}) {
      for (int d : new int[] {1, 2, 5}) {
        for (double eps : new double[] {1e-3, 1e-5, 1e-10}) {
          for (String sign : List.of("random", "zero", "negative")) {
            cases.add(new Case(n, d, eps, sign, 1000 + cases.size()));
          }
        }
      }
    }
    return cases;
  }

  /** out as a function of all that it depends on. */
  private interface Out {
    double[][] of(double[][] x, double[] gamma, double[] beta);
  }

  private static void assertAgree(
      BatchNormGradients actual, Problem p, Out out, double[] spreadOfX) {
    double[] ones = new double[p.d()];
    Arrays.fill(ones, 1);
    assertAgree(actual.dx(), x -> out.of(x, p.gamma(), p.beta()), p.x(), p, spreadOfX);
    assertAgree(
        rows(1, actual.dgamma()), g -> out.of(p.x(), g[0], p.beta()), rows(1, p.gamma()), p, ones);
    assertAgree(
        rows(1, actual.dbeta()), b -> out.of(p.x(), p.gamma(), b[0]), rows(1, p.beta()), p, ones);
  }

  private static void assertAgree(
      double[][] actual, UnaryOperator<double[][]> f, double[][] at, Problem p, double[] spread) {
    assertClose(actual, CentralDifferences.gradient(f, at, p.dout(), spread), TOLERANCE);
  }

  private static double[] spread(Problem p, double eps) {
    return new NaiveGraph(p.x(), p.gamma(), p.beta(), eps).sqrtvar;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void backward_gives_the_gradients_of_forward(Case c) {
    Problem p = c.problem();
    BatchNormLayer layer = c.layer(p.gamma(), p.beta());
    layer.forward(p.x());
    Out out = (x, gamma, beta) -> c.layer(gamma, beta).forward(x);
    assertAgree(layer.backward(p.dout()), p, out, spread(p, c.eps));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void inferBackward_gives_the_gradients_of_infer(Case c) {
    Problem p = c.problem();
    BatchNormLayer layer = trained(c, p, p.gamma(), p.beta());
    Out out = (x, gamma, beta) -> trained(c, p, gamma, beta).infer(x);
    assertAgree(layer.inferBackward(p.x(), p.dout()), p, out, layer.runningVar());
  }

  private static BatchNormLayer trained(Case c, Problem p, double[] gamma, double[] beta) {
    BatchNormLayer layer = c.layer(gamma, beta);
    layer.forward(p.x());
    layer.forward(combine(p.x(), p.dout(), Double::sum));
    return layer;
  }

  /** Batch norm, tanh, batch norm. */
  record Network(BatchNormLayer first, BatchNormLayer second) {
    static Network of(Case c, Problem p) {
      // gamma + 1.5 in the first: with gamma = 0 nothing would get through
      double[] gamma = Arrays.stream(p.gamma()).map(g -> g + 1.5).toArray();
      return new Network(c.layer(gamma, p.beta()), c.layer(p.gamma(), p.beta()));
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
  @MethodSource("cases")
  void two_layers_after_each_other_give_the_gradient_of_both(Case c) {
    Problem p = c.problem();
    Network network = Network.of(c, p);
    double[][] dx = network.backward(p.x(), p.dout());
    assertAgree(dx, network::forward, p.x(), p, spread(p, c.eps));
  }

  static Stream<Arguments> mutants() {
    return Arrays.stream(NaiveGraph.Mutant.values())
        .filter(mutant -> mutant != NaiveGraph.Mutant.NONE)
        .flatMap(
            mutant ->
                cases().stream()
                    .filter(c -> !c.sign.equals("zero")) // then dx = 0 in every variant
                    .map(c -> Arguments.of(mutant, c)));
  }

  /** Tests of the test: it must reject the mistakes that people make. */
  @ParameterizedTest
  @MethodSource("mutants")
  void a_wrong_backward_pass_is_rejected(NaiveGraph.Mutant mutant, Case c) {
    Problem p = c.problem();
    NaiveGraph graph = new NaiveGraph(p.x(), p.gamma(), p.beta(), c.eps);
    UnaryOperator<double[][]> f = x -> c.layer(p.gamma(), p.beta()).forward(x);
    double[][] right = graph.backward(p.dout(), NaiveGraph.Mutant.NONE).dx;
    assertAgree(right, f, p.x(), p, graph.sqrtvar);
    double[][] wrong = graph.backward(p.dout(), mutant).dx;
    assertThatThrownBy(() -> assertAgree(wrong, f, p.x(), p, graph.sqrtvar))
        .isInstanceOf(AssertionError.class);
  }
}
