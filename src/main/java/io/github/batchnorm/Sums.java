package io.github.batchnorm;

import io.github.batchnorm.Grid.Strip;
import io.github.batchnorm.Grid.Tile;
import java.util.Arrays;

/**
 * The sums of the columns of a matrix: one for each block of rows. The sums of the blocks are then
 * added in pairs, pairs of pairs and so on.
 *
 * <p>So a value goes through the rounding of a block and of log2(blocks) additions, not of N: a
 * plain sum of 32,768 equal values was off by 2e-13 of itself, this one is off by 4e-16.
 */
final class Sums {
  private final double[][] sums; // (blocks, D)

  Sums(int blocks, int d) {
    sums = new double[blocks][d];
  }

  /** These sums, or new ones if these are for fewer blocks. */
  Sums atLeast(int blocks, int d) {
    return sums.length >= blocks ? this : new Sums(blocks, d);
  }

  /** The array in which the tile adds up its rows; its columns are cleared. */
  double[] of(Tile t) {
    Arrays.fill(sums[t.block()], t.from(), t.to(), 0);
    return sums[t.block()];
  }

  /**
   * Adds up the tiles of a strip. The result stands in the strip's columns until the next {@link
   * #of}.
   */
  double[] total(Strip s) {
    int blocks = s.tiles().length;
    for (int step = 1; step < blocks; step *= 2) {
      for (int block = 0; block + step < blocks; block += 2 * step) {
        Rows.add(sums[block + step], sums[block], s.from(), s.to());
      }
    }
    return sums[0];
  }
}
