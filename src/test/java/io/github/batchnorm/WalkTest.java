package io.github.batchnorm;

import static io.github.batchnorm.TestData.filled;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.github.batchnorm.Grid.Strip;
import io.github.batchnorm.Grid.Tile;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** In which order a walk asks and fills, and which rows it makes. */
@ParameterizedClass(name = "{0} x {1} on {2} threads")
@CsvSource({
  "5, 3, 1", // one tile
  "300, 300, 1", // one strip of 5 tiles
  "300, 300, 4",
  "10, 7001, 1", // 7 strips of one tile
  "10, 7001, 4",
  "130, 1101, 4", // 2 strips of 3 tiles
})
class WalkTest {
  private static final ThreadMXBean ALLOCATION = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final int n;
  private final int d;
  private final int threads;
  private final Grid grid;
  private final List<Strip> asked = Collections.synchronizedList(new ArrayList<>());
  private final List<Tile> filled = Collections.synchronizedList(new ArrayList<>());

  WalkTest(int n, int d, int threads) {
    this.n = n;
    this.d = d;
    this.threads = threads;
    grid = new Grid(n, d);
  }

  private boolean run(
      Predicate<Strip> finite, Consumer<Tile> fill, double[][] output, boolean inPlace) {
    asked.clear();
    filled.clear();
    try (Walk walk = new Walk(grid, threads)) {
      return walk.run(
          s -> {
            asked.add(s);
            return finite.test(s);
          },
          t -> {
            fill.accept(t);
            filled.add(t);
          },
          output,
          inPlace);
    }
  }

  private List<Tile> tilesOfAllBut(Strip strip) {
    return Arrays.stream(grid.strips)
        .filter(s -> s != strip)
        .flatMap(s -> Arrays.stream(s.tiles()))
        .toList();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void asks_each_strip_and_fills_each_tile_once(boolean inPlace) {
    assertThat(run(s -> true, t -> {}, new double[n][d], inPlace)).isTrue();
    assertThat(asked).containsExactlyInAnyOrder(grid.strips);
    assertThat(filled).containsExactlyInAnyOrderElementsOf(tilesOfAllBut(null));
  }

  @Test
  void in_place_fills_nothing_before_it_has_asked_every_strip() {
    List<Integer> askedBefore = Collections.synchronizedList(new ArrayList<>());
    run(s -> true, t -> askedBefore.add(asked.size()), new double[n][d], true);
    assertThat(askedBefore).isNotEmpty().containsOnly(grid.strips.length);
  }

  @Test
  void in_place_fills_nothing_if_one_strip_is_not_finite() {
    for (Strip bad : grid.strips) {
      assertThat(run(s -> s != bad, t -> {}, new double[n][d], true)).isFalse();
      assertThat(filled).isEmpty();
    }
  }

  @Test
  void out_of_place_fills_the_strips_that_are_finite() {
    for (Strip bad : grid.strips) {
      assertThat(run(s -> s != bad, t -> {}, new double[n][d], false)).isFalse();
      assertThat(filled).containsExactlyInAnyOrderElementsOf(tilesOfAllBut(bad));
    }
  }

  /** If two strips made a row each, the values of one of them would be lost. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void makes_each_row_that_is_null_once_and_keeps_the_others(boolean inPlace) {
    double[][] output = new double[n][];
    double[] given = new double[d];
    output[n / 2] = given;
    Consumer<Tile> fill =
        t -> {
          for (int i = t.first(); i < t.end(); i++) {
            Arrays.fill(output[i], t.from(), t.to(), 42);
          }
        };
    run(s -> true, fill, output, inPlace);
    assertThat(output).isDeepEqualTo(filled(n, d, 42));
    assertThat(output[n / 2]).isSameAs(given);
  }

  /** Otherwise two threads could make the same row, and chance would decide which row is lost. */
  @Test
  void if_there_are_several_strips_all_rows_are_there_before_the_first_is_asked() {
    double[][] output = new double[n][];
    AtomicInteger missing = new AtomicInteger();
    run(
        s -> {
          missing.addAndGet((int) Arrays.stream(output).filter(Objects::isNull).count());
          return true;
        },
        t -> {},
        output,
        false);
    assertThat(missing).hasValue(grid.strips.length > 1 ? 0 : n);
  }

  @Test
  void in_place_allocates_nothing_from_the_first_write_on() {
    long[] bytes = new long[tilesOfAllBut(null).size()]; // when each tile is filled
    int[] count = new int[1];
    double[][] output = new double[n][d];
    for (int run = 0; run < 2; run++) { // the first one loads what the second one calls
      count[0] = 0;
      try (Walk walk = new Walk(grid, 1)) {
        walk.run(
            s -> true,
            t -> bytes[count[0]++] = ALLOCATION.getCurrentThreadAllocatedBytes(),
            output,
            true);
      }
    }
    assertThat(bytes).containsOnly(bytes[0]);
  }

  @Test
  void sums_are_those_of_the_columns_each_time() {
    double[][] x = new double[n][d];
    for (int i = 0; i < n; i++) {
      Arrays.setAll(x[i], j -> j % 7); // small integers, so that no sum is rounded
    }
    double[] expected = new double[d];
    Arrays.setAll(expected, j -> n * (j % 7));
    double[] actual = new double[d];
    Sums sums = new Sums(grid.blocks(), d);
    try (Walk walk = new Walk(grid, threads)) {
      for (int time = 0; time < 2; time++) {
        for (Strip s : grid.strips) {
          double[] sum = walk.sum(s, sums, (t, ofTile) -> Rows.addRows(x, t, ofTile));
          System.arraycopy(sum, s.from(), actual, s.from(), s.to() - s.from());
        }
        assertThat(actual).isEqualTo(expected);
      }
    }
  }
}
