package io.github.batchnorm;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.batchnorm.Grid.Strip;
import io.github.batchnorm.Grid.Tile;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sums of blocks of rows, and how they are added. */
class SumsTest {
  /** One strip of one column, in tiles of 64 rows. */
  private static Strip strip(int tiles) {
    return new Grid(64 * tiles, 1).strips[0];
  }

  private static double total(double... ofTiles) {
    Strip strip = strip(ofTiles.length);
    Sums sums = new Sums(ofTiles.length, 1);
    for (Tile tile : strip.tiles()) {
      sums.of(tile)[0] += ofTiles[tile.block()];
    }
    return sums.total(strip)[0];
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 7, 8, 9, 100})
  void take_in_every_block(int blocks) {
    double[] powers = new double[blocks];
    for (int b = 0; b < blocks; b++) {
      powers[b] = 1L << (b % 50);
    }
    assertThat(total(powers)).isEqualTo(Arrays.stream(powers).sum());
  }

  @Test
  void are_added_in_pairs() {
    // (1 + 2^53) + (1 - 2^53), where the first pair is rounded to 2^53; one by one 0 is left
    assertThat(total(1, 0x1p53, 1, -0x1p53)).isEqualTo(1);
  }

  @Test
  void of_a_tile_start_at_0_in_its_columns_and_leave_the_others() {
    Strip[] strips = new Grid(64, 1024).strips; // of 512 columns each
    Sums sums = new Sums(1, 1024);
    double[] sum = sums.of(strips[0].tiles()[0]);
    Arrays.fill(sum, 42);
    assertThat(sums.of(strips[1].tiles()[0])).isSameAs(sum);
    assertThat(sum[511]).isEqualTo(42);
    assertThat(Arrays.copyOfRange(sum, 512, 1024)).containsOnly(0);
  }

  @Test
  void are_made_again_only_for_more_blocks() {
    Sums sums = new Sums(3, 2);
    assertThat(sums.atLeast(3, 2)).isSameAs(sums);
    assertThat(sums.atLeast(2, 2)).isSameAs(sums);
    assertThat(sums.atLeast(4, 2)).isNotSameAs(sums);
  }
}
