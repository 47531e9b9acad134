package io.github.batchnorm;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.batchnorm.TestNetwork.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The checker on ordinary networks with backward passes written by hand: no correct gradient is
 * contradicted, no mistake is missed.
 */
@DisplayName("GradientCheck on networks (seeds 0 to 3)")
class GradientCheckNetworksTest {
  private static final double[] ONE_SCALE = {1, 1, 1, 1};
  private static final double[] MANY_SCALES = {1e-4, 1e4, 1, 100};

  /** Small and large mini-batches, losses and scales of columns, each with a loss and a dout. */
  private static List<TestNetwork> all(TestNetworks kind) {
    List<TestNetwork> networks = new ArrayList<>();
    for (boolean withLoss : new boolean[] {true, false}) {
      networks.add(kind.network(0, 3, withLoss, 1, ONE_SCALE));
      networks.add(kind.network(1, 8, withLoss, 1e-8, MANY_SCALES));
      networks.add(kind.network(2, 5, withLoss, 1e8, ONE_SCALE));
      networks.add(kind.network(3, 64, withLoss, 1, ONE_SCALE));
    }
    return networks;
  }

  /** Three with few rows, for many checks. */
  private static List<TestNetwork> small(TestNetworks kind) {
    return List.of(
        kind.network(0, 3, true, 1, ONE_SCALE),
        kind.network(1, 8, true, 1e-8, MANY_SCALES),
        kind.network(2, 5, false, 1e8, ONE_SCALE));
  }

  @ParameterizedTest
  @EnumSource
  void no_correct_gradient_is_contradicted(TestNetworks kind) {
    for (TestNetwork network : all(kind)) {
      for (Part part : network.parts()) {
        GradientReport report = network.check(part, part.gradient());
        assertThat(report.agrees()).as("%s, %s: %s", network, part.name(), report).isTrue();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void every_mistake_in_a_gradient_is_found(TestNetworks kind) {
    List<PlantedMistake> planted = new ArrayList<>();
    for (TestNetwork network : small(kind)) {
      for (Part part : network.parts()) {
        for (PlantedMistake mistake : PlantedMistake.values()) {
          double[][] wrong = mistake.in(part.gradient());
          if (network.shows(wrong, part)) {
            planted.add(mistake);
            GradientReport report = network.check(part, wrong);
            String what = network + ", " + part.name() + ", " + mistake;
            assertThat(report.agrees()).as("%s: %s", what, report).isFalse();
          }
        }
      }
    }
    assertThat(planted.stream().distinct()).hasSizeGreaterThanOrEqualTo(20);
  }

  /** Not every one shows in every network: a bias ahead of a batch norm has no gradient. */
  @Test
  void every_mistake_in_a_layer_shows_somewhere_and_is_found_wherever_it_shows() {
    Set<String> known = new TreeSet<>();
    Set<String> found = new TreeSet<>();
    for (TestNetworks kind : TestNetworks.values()) {
      for (TestNetwork network : small(kind)) {
        for (String mistake : network.mistakes()) {
          String ofLayer = mistake.replaceFirst("\\d+ ", "");
          known.add(ofLayer);
          if (assertFound(network, mistake, network.parts(mistake))) {
            found.add(ofLayer);
          }
        }
        assertFound(network, "what an earlier forward pass kept", network.staleParts());
      }
    }
    assertThat(found).isEqualTo(known).hasSizeGreaterThan(20);
  }

  /** Whether the mistake shows; each part where it does disagrees. */
  private static boolean assertFound(TestNetwork network, String mistake, List<Part> wrong) {
    List<Part> right = network.parts();
    List<Part> showing =
        IntStream.range(0, right.size())
            .filter(k -> network.shows(wrong.get(k).gradient(), right.get(k)))
            .mapToObj(wrong::get)
            .toList();
    assertThat(showing.stream().allMatch(part -> contradicts(network, part)))
        .as("%s: %s", network, mistake)
        .isTrue();
    return !showing.isEmpty();
  }

  private static boolean contradicts(TestNetwork network, Part part) {
    return !network.check(part, part.gradient()).agrees();
  }

  @Test
  void correct_gradients_cost_up_to_two_point_six_calls_per_entry_on_average() {
    long calls = 0;
    long entries = 0;
    for (TestNetworks kind : TestNetworks.values()) {
      for (TestNetwork network : all(kind)) {
        for (Part part : network.parts()) {
          entries += network.check(part, part.gradient()).entries().size();
        }
        calls += network.calls();
      }
    }
    assertThat((double) calls / entries).isBetween(2.0, 2.6);
  }

  @Test
  void a_bias_ahead_of_a_batch_norm_agrees_but_the_check_is_vacuous() {
    TestNetwork network = TestNetworks.TANH.network(0, 8, true, 1, ONE_SCALE);
    Part bias = network.parts().get(2);
    GradientReport report = network.check(bias, bias.gradient());
    assertThat(report.agrees()).as("%s", report).isTrue();
    assertThat(report.isVacuous()).isTrue();
    assertThat(report.zeros()).hasSize(report.entries().size());
    assertThat(report.passed()).isFalse();
    assertThat(network.check(bias, new double[1][6]).agrees()).isTrue();
  }
}
