package io.github.batchnorm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The count of {@link Roundings} against the constants that are promised. */
class RoundingsTest {
  /** What c must be at n rows. */
  private static double c(Bound bound, int n, int height) {
    return bound.count.applyAsDouble(new Roundings(n, height)) - Bound.log2(n);
  }

  /**
   * For one block, and for the least n with each number of levels above the blocks: the largest.
   */
  private static DoubleStream c(Bound bound, int height) {
    IntStream oneBlock = IntStream.rangeClosed(1, height);
    IntStream moreBlocks =
        IntStream.range(0, 31)
            .filter(levels -> ((long) height << levels) < Integer.MAX_VALUE)
            .map(levels -> (height << levels) + 1);
    return IntStream.concat(oneBlock, moreBlocks).mapToDouble(n -> c(bound, n, height));
  }

  @ParameterizedTest
  @EnumSource
  void c_is_the_least_integer_that_covers_the_count_for_every_array(Bound bound) {
    double c =
        IntStream.rangeClosed(32, 64)
            .mapToDouble(height -> c(bound, height).max().orElseThrow())
            .max()
            .orElseThrow();
    assertThat(bound.c - c).isBetween(0.01, 1.0);
  }

  @ParameterizedTest
  @EnumSource
  void the_javadoc_states_c(Bound bound) throws IOException {
    Path source = Path.of("src/main/java/io/github/batchnorm/BatchNormLayer.java");
    assertThat(Files.readString(source))
        .contains("<li>" + bound.result + ", c = " + bound.c + ": ");
  }
}
