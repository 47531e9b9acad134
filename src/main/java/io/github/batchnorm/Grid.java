package io.github.batchnorm;

import java.util.Arrays;
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

  /** Adds to two sums over the rows of a tile, shape (D). */
  interface TwoSums {
    void add(Tile tile, double[] sums, double[] moreSums);
  }

  /** 256 KiB: a tile of x and one of out, or dout, x and dx, stay in the second-level cache. */
  private static final int TILE_VALUES = 1 << 15;

  /**
   * A narrower strip reads too little of each row at a time: 512 x 512 took 233 µs in strips of 64
   * columns, and takes 160 in one of 512, which is cut into tiles.
   */
  private static final int MIN_WIDTH = 512;

  /** A wider strip has more values per feature than the first-level cache holds. */
  private static final int MAX_WIDTH = 2048;

  /** Bounds the memory for partial sums. */
  private static final int MAX_BLOCKS = 128;

  /** Below, waking another thread takes longer than it saves: 128 x 256 was no faster with two. */
  private static final int PARALLEL_VALUES = 1 << 16;

  final int n;
  private final Strip[] strips;
  private final double[][] partialSums; // (blocks, D)
  private final double[][] morePartialSums; // (blocks, D)
  private final boolean parallel;
  private Team team; // during a walk of a large matrix

  Grid(int n, int d, boolean parallel) {
    this.n = n;
    this.parallel = parallel && (long) n * d >= PARALLEL_VALUES;
    int fittingWidth = TILE_VALUES / n;
    int maxWidth = Math.min(fittingWidth < MIN_WIDTH ? d : fittingWidth, MAX_WIDTH);
    int count = ceilDivide(d, maxWidth);
    int width = ceilDivide(d, count);
    int height = Math.max(TILE_VALUES / width, ceilDivide(n, MAX_BLOCKS));
    strips =
        IntStream.range(0, count)
            .mapToObj(s -> strip(s * width, Math.min((s + 1) * width, d), height, n))
            .toArray(Strip[]::new);
    partialSums = new double[blocks()][];
    morePartialSums = new double[blocks()][];
    for (int block = 1; block < blocks(); block++) { // the first needs none, see sumsOf
      partialSums[block] = new double[d];
      morePartialSums[block] = new double[d];
    }
  }

  private static Strip strip(int from, int to, int height, int n) {
    return new Strip(
        from,
        to,
        IntStream.range(0, ceilDivide(n, height))
            .mapToObj(b -> new Tile(b, b * height, Math.min((b + 1) * height, n), from, to))
            .toArray(Tile[]::new));
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

  /** Two sums over the rows of a strip, in one pass. */
  void sum(Strip strip, double[] sums, double[] moreSums, TwoSums summation) {
    forEachTile(
        strip,
        tile ->
            summation.add(
                tile, sumsOf(tile, partialSums, sums), sumsOf(tile, morePartialSums, moreSums)));
    addPartialSums(strip, partialSums, sums);
    addPartialSums(strip, morePartialSums, moreSums);
  }

  /** Where the sums of a tile go, cleared: for the first block that is the result itself. */
  private static double[] sumsOf(Tile tile, double[][] partialSums, double[] sums) {
    double[] sumsOfTile = tile.block() == 0 ? sums : partialSums[tile.block()];
    Arrays.fill(sumsOfTile, tile.from(), tile.to(), 0);
    return sumsOfTile;
  }

  private static void addPartialSums(Strip strip, double[][] partialSums, double[] sums) {
    for (int block = 1; block < strip.tiles().length; block++) {
      Rows.add(partialSums[block], sums, strip.from(), strip.to());
    }
  }
}
