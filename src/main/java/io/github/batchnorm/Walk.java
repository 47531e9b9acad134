package io.github.batchnorm;

import io.github.batchnorm.Grid.Strip;
import io.github.batchnorm.Grid.Tile;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * A walk over a grid: first computes the statistics of each strip, which are sums over its rows,
 * and then its output, which needs the statistics.
 *
 * <p>If there is only one strip, the threads share its tiles. Otherwise they share the strips, and
 * each strip is the work of one thread.
 */
final class Walk implements AutoCloseable {
  private final Grid grid;
  private final Team team;

  /** Prepares a walk over a grid by up to {@code threads} threads, the caller's among them. */
  Walk(Grid grid, int threads) {
    this.grid = grid;
    int parts = grid.strips.length > 1 ? grid.strips.length : grid.blocks();
    team = grid.isLarge ? Team.of(parts, threads) : Team.ALONE;
  }

  /**
   * Takes the walk.
   *
   * @param statistics computes those of a strip, and returns whether they are finite
   * @param fill computes the output in a tile
   * @param output what {@code fill} writes, shape (N, D). The walk makes those rows that are null
   * @param inPlace whether the output overwrites the input. If so, nothing is written before all
   *     statistics are known to be finite, and nothing is allocated from the first write on. If
   *     not, a strip is written while the caches still hold it, which makes 16 x 100000 a fifth
   *     faster
   * @return whether the statistics of all strips are finite
   */
  boolean run(
      Predicate<Strip> statistics, Consumer<Tile> fill, double[][] output, boolean inPlace) {
    Strip[] strips = grid.strips;
    if (strips.length > 1) { // several threads would make the same row
      makeRows(output, 0, grid.n);
    }
    Consumer<Tile> write =
        t -> {
          makeRows(output, t.first(), t.end());
          fill.accept(t);
        };
    boolean[] finite = new boolean[strips.length];
    team.forEach(
        strips.length,
        s -> {
          finite[s] = statistics.test(strips[s]);
          if (finite[s] && !inPlace) {
            forEachTile(strips[s], write);
          }
        });
    boolean allFinite = Rows.areTrue(finite);
    if (allFinite && inPlace) {
      team.forEach(strips.length, s -> forEachTile(strips[s], write));
    }
    return allFinite;
  }

  private void makeRows(double[][] output, int first, int end) {
    for (int i = first; i < end; i++) {
      Rows.make(output, i, grid.d);
    }
  }

  /**
   * The sum over the tiles of a strip, in the columns of the strip; valid until {@code sums} is
   * used again.
   */
  double[] sum(Strip strip, Sums sums, BiConsumer<Tile, double[]> add) {
    forEachTile(strip, t -> add.accept(t, sums.of(t)));
    return sums.total(strip);
  }

  /**
   * Calls {@code action} with each tile of a strip: on several threads if the strip is the only
   * one.
   */
  void forEachTile(Strip strip, Consumer<Tile> action) {
    Tile[] tiles = strip.tiles();
    if (grid.strips.length == 1) {
      team.forEach(tiles.length, t -> action.accept(tiles[t]));
    } else {
      for (Tile tile : tiles) {
        action.accept(tile);
      }
    }
  }

  /** Sends the helpers away. */
  @Override
  public void close() {
    team.close();
  }
}
