package io.github.batchnorm.example;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TimeLeftTest {
  private static final long SECOND = 1_000_000_000;

  private long now = 100 * SECOND;

  @Test
  void the_steps_that_are_left_take_as_long_as_those_so_far() {
    TimeLeft left = new TimeLeft(10, "left for both", () -> now);

    now += 3 * SECOND; // one step of 3 s, then two of 1.5 s
    left.step();
    assertThat(left).hasToString("27 s left for both");
    now += 3 * SECOND;
    left.step();
    left.step();
    assertThat(left).hasToString("14 s left for both"); // 7 steps of 2 s
    for (int step = 4; step <= 10; step++) {
      left.step();
    }
    assertThat(left).hasToString("0 s left for both");
  }
}
