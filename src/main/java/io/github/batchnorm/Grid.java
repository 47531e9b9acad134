package io.github.batchnorm;

import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * How an (N, D) matrix is shared out to threads: into strips of columns, which are independent of
 * each other, and those into tiles, which are blocks of rows.
 *
 * <p>The cut depends on N and D alone. A sum over the rows is taken in each tile first and then
 * over the tiles of a strip in their order, by one thread or by many: neither their number nor
 * which of them does what changes a bit of a result.
 */
final class Grid {
  /** Rows {@code [first, end)} of the columns {@code [from, to)}. */
  record Tile(int block, int first, int end, int from, int to) {}

  /** Columns {@code [from, to)}, from the first row to the last. */
  record Strip(int from, int to, Tile[] tiles) {}

  /** 256 KiB: a tile of x and one of out, or dout, x and dx, stay in the second-level cache. */
  private static final int TILE_VALUES = 1 << 15;

  /**
   * A narrower strip reads too little of each row at a time: 512 x 512 took 233 µs in strips of 64
   * columns, and takes 160 in one of 512, which is cut into tiles.
   */
  private static final int MIN_WIDTH = 512;

  /**
   * A wider strip has more values per feature than the first-level cache holds, and so few rows in
   * a tile that its sums are no longer small beside it.
   */
  private static final int MAX_WIDTH = 1024;

  /** Below, waking another thread takes longer than it saves: 128 x 256 was no faster with two. */
  private static final int PARALLEL_VALUES = 1 << 16;

  final int n;
  private final Strip[] strips;
  private final boolean parallel;
  private Team team; // during a walk of a large matrix

  Grid(int n, int d, boolean parallel) {
    this.n = n;
    this.parallel = parallel && (long) n * d >= PARALLEL_VALUES;
    int fittingWidth = TILE_VALUES / n;
    int maxWidth = Math.min(fittingWidth < MIN_WIDTH ? d : fittingWidth, MAX_WIDTH);
    int count = ceilDivide(d, maxWidth);
    int width = ceilDivide(d, count);
    int height = TILE_VALUES / width;
    strips =
        IntStream.range(0, count)
            .mapToObj(s -> strip(s * width, s * width + Math.min(width, d - s * width), height, n))
            .toArray(Strip[]::new);
  }

  private static Strip strip(int from, int to, int height, int n) {
    return new Strip(
        from,
        to,
        IntStream.range(0, ceilDivide(n, height))
            .mapToObj(b -> tile(b, b * height, Math.min(height, n - b * height), from, to))
            .toArray(Tile[]::new));
  }

  private static Tile tile(int block, int first, int rows, int from, int to) {
    return new Tile(block, first, first + rows, from, to);
  }

  private static int ceilDivide(int a, int b) {
    return (a - 1) / b + 1;
  }

  /**
   * Takes a walk: on each strip the statistics, which are sums over its rows, and then the output,
   * which needs them.
   *
   * @param statistics whether they are finite; if not, the strip has no output
   * @param inPlace whether output overwrites what statistics read: then none is written before all
   *     statistics are known to be finite. Else a strip is written while the caches still hold it,
   *     which makes 16 x 100000 a fifth faster
   * @return whether the statistics of all strips are finite
   */
  boolean walk(Predicate<Strip> statistics, Consumer<Strip> output, boolean inPlace) {
    if (!parallel) {
      return walkStrips(statistics, output, inPlace);
    }
    try (Team together = new Team(Math.max(strips.length, blocks()))) {
      team = together;
      return walkStrips(statistics, output, inPlace);
    } finally {
      team = null;
    }
  }

  private boolean walkStrips(Predicate<Strip> statistics, Consumer<Strip> output, boolean inPlace) {
    boolean[] finite = new boolean[strips.length];
    forEach(
        strips.length,
        s -> {
          finite[s] = statistics.test(strips[s]);
          if (finite[s] && !inPlace) {
            output.accept(strips[s]);
          }
        });
    for (boolean stripIsFinite : finite) {
      if (!stripIsFinite) {
        return false;
      }
    }
    if (inPlace) {
      forEach(strips.length, s -> output.accept(strips[s]));
    }
    return true;
  }

  void forEachTile(Strip strip, Consumer<Tile> action) {
    Tile[] tiles = strip.tiles();
    if (strips.length == 1) {
      forEach(tiles.length, t -> action.accept(tiles[t]));
    } else { // several strips keep the threads busy by themselves
      for (Tile tile : tiles) {
        action.accept(tile);
      }
    }
  }

  private void forEach(int parts, IntConsumer action) {
    if (team != null && parts > 1) {
      team.forEach(parts, action);
    } else {
      for (int part = 0; part < parts; part++) {
        action.accept(part);
      }
    }
  }

  /** The number of tiles in each strip. */
  int blocks() {
    return strips[0].tiles().length;
  }
}
