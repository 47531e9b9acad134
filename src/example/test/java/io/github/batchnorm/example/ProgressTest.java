package io.github.batchnorm.example;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private static final long SECOND = 1_000_000_000;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private long now = 100 * SECOND;

  /** Two networks of 100 steps, each of which takes so many seconds. */
  private String[] lines(double secondsOfStep) {
    TimeLeft left = new TimeLeft(200, "left for both", () -> now);
    PrintStream terminal = System.out;
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    try {
      for (String network : new String[] {"first", "second"}) {
        Progress progress = new Progress.Lines(network, 100, left);
        for (int step = 1; step <= 100; step++) {
          now += (long) (secondsOfStep * SECOND);
          progress.step(step);
        }
      }
    } finally {
      System.setOut(terminal);
    }
    return out.toString(StandardCharsets.UTF_8).split("\n");
  }

  @Test
  void a_slow_network_gives_a_sign_of_life_after_a_second_and_then_for_every_tenth() {
    assertThat(lines(0.5))
        .hasSize(22)
        .startsWith(
            "first: step 2 of 100, about 99 s left for both",
            "first: step 10 of 100, about 95 s left for both",
            "first: step 20 of 100, about 90 s left for both")
        .contains(
            "second: step 2 of 100, about 49 s left for both",
            "second: step 10 of 100, about 45 s left for both")
        .endsWith("second: step 100 of 100, about 0 s left for both");
  }

  @Test
  void a_fast_network_gives_one_for_every_tenth() {
    assertThat(lines(0.0625))
        .hasSize(20)
        .startsWith("first: step 10 of 100, about 12 s left for both")
        .endsWith("second: step 100 of 100, about 0 s left for both");
  }
}
