package io.github.batchnorm;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.batchnorm.Grid.Strip;
import io.github.batchnorm.Grid.Tile;
import java.util.Arrays;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How a matrix is cut. */
class GridTest {

  @ParameterizedTest(name = "{0} x {1}: {2} strips of {3} columns, {4} tiles of {5} rows")
  @CsvSource({
    "2, 1, 1, 1, 1, 2", // the smallest
    "3, 5, 1, 5, 1, 3",
    "64, 512, 1, 512, 1, 64", // the largest tile
    "65, 512, 1, 512, 2, 64",
    "5, 7001, 7, 1001, 1, 5",
    "60, 1500, 3, 500, 1, 60",
    "64, 513, 2, 257, 1, 64", // 512 columns would fit
    "65, 1024, 1, 1024, 3, 32", // the widest strip
    "65, 1025, 2, 513, 2, 63",
    "300, 300, 1, 300, 5, 64",
    "130, 1101, 2, 551, 3, 59",
    "257, 2500, 3, 834, 7, 39",
    "3001, 40, 1, 40, 47, 64",
    "40000, 3, 1, 3, 625, 64",
  })
  void is_cut_into(int n, int d, int strips, int columns, int tiles, int rows) {
    Grid grid = new Grid(n, d);
    assertThat(grid.strips).hasSize(strips);
    assertThat(grid.blocks()).isEqualTo(tiles);
    assertThat(grid.strips[0].to()).isEqualTo(columns);
    assertThat(grid.strips[0].tiles()[0].end()).isEqualTo(rows);
  }

  @ParameterizedTest
  @CsvSource({"65535, 1, false", "65536, 1, true", "1, 65536, true", "65536, 65536, true"})
  void is_large_enough_for_several_threads_from_65536_values_on(int n, int d, boolean isLarge) {
    assertThat(new Grid(n, d).isLarge).isEqualTo(isLarge);
  }

  @Nested
  @ParameterizedClass(name = "of {0} x {1}")
  @CsvSource({"2, 1", "65, 512", "5, 7001", "65, 1025", "257, 2500", "3001, 40"})
  class Its_tiles {
    private final int n;
    private final int d;
    private final Grid grid;

    Its_tiles(int n, int d) {
      this.n = n;
      this.d = d;
      grid = new Grid(n, d);
    }

    @Test
    void take_in_every_value_once() {
      int[][] visits = new int[n][d];
      for (Strip strip : grid.strips) {
        for (Tile tile : strip.tiles()) {
          assertThat(tile.from()).isEqualTo(strip.from());
          assertThat(tile.to()).isEqualTo(strip.to());
          for (int i = tile.first(); i < tile.end(); i++) {
            for (int j = tile.from(); j < tile.to(); j++) {
              visits[i][j]++;
            }
          }
        }
      }
      assertThat(Arrays.stream(visits).flatMapToInt(Arrays::stream).allMatch(v -> v == 1)).isTrue();
    }

    @Test
    void are_numbered_from_the_first_row_down_in_each_strip() {
      for (Strip strip : grid.strips) {
        assertThat(strip.tiles())
            .extracting(Tile::block)
            .isSorted()
            .startsWith(0)
            .doesNotHaveDuplicates();
        assertThat(strip.tiles()).extracting(Tile::first).isSorted();
      }
    }

    @Test
    void have_heads_that_are_together_a_quarter_of_the_rows_or_more() {
      for (Strip strip : grid.strips) {
        int rows = 0;
        for (Tile tile : strip.tiles()) {
          Tile head = tile.head();
          assertThat(head.first()).isEqualTo(tile.first());
          assertThat(head.end()).isBetween(tile.first() + 1, tile.end());
          rows += head.end() - head.first();
        }
        assertThat(grid.headRows)
            .isEqualTo(rows)
            .isBetween((n + 3) / 4, n / 4 + strip.tiles().length);
      }
    }
  }
}
