package io.github.batchnorm;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * How an (N, D) matrix is cut: into strips of columns, which are independent of each other, and
 * each strip into tiles, which are blocks of rows.
 *
 * <p>The cut depends on N and D alone. A sum over the rows is taken in each tile first and then
 * over the tiles, always in the same order ({@link Sums}). So a result has the same bits for any
 * number of threads and any sharing of the tiles among them.
 */
final class Grid {
  /** Rows {@code [first, end)} of the columns {@code [from, to)}. */
  record Tile(int block, int first, int end, int from, int to) {
    /** The first quarter of the rows, at least one. */
    Tile head() {
      return new Tile(block, first, first + ceilDivide(end - first, 4), from, to);
    }
  }

  /** Columns {@code [from, to)}, from the first row to the last. */
  record Strip(int from, int to, Tile[] tiles) {}

  /** 256 KiB: a tile of x and one of out, or dout, x and dx, stay in the second-level cache. */
  private static final int TILE_VALUES = 1 << 15;

  /**
   * A plain sum of more rows would round more often: with 256 rows dx of the column {0, c, c, ...}
   * was off by 7e-15, with 64 rows it is off by 2.5e-15. The counted bounds hold for heights of 32
   * to 64.
   */
  private static final int MAX_HEIGHT = 64;

  /**
   * If fewer columns than this fit into a tile with all rows, the rows are cut instead. A narrow
   * strip reads too little of each row at a time: 512 x 512 took 233 µs in strips of 64 columns,
   * and takes 160 µs in one strip of 512, which is cut into tiles. An even split of the columns may
   * halve this width.
   */
  private static final int MIN_FITTING_WIDTH = 512;

  /** A wider strip has more values per feature than the first-level cache holds. */
  private static final int MAX_WIDTH = 1024;

  /**
   * For fewer values, waking another thread takes longer than it saves: 128 x 256 was no faster
   * with two.
   */
  private static final int PARALLEL_VALUES = 1 << 16;

  final int n;
  final int d;
  final int headRows; // the rows in the heads of all tiles of a strip, at least N / 4
  final Strip[] strips;
  final boolean isLarge; // enough for several threads

  Grid(int n, int d) {
    this.n = n;
    this.d = d;
    isLarge = (long) n * d >= PARALLEL_VALUES;
    int fittingWidth = TILE_VALUES / n;
    int maxWidth = Math.min(fittingWidth < MIN_FITTING_WIDTH ? d : fittingWidth, MAX_WIDTH);
    int count = ceilDivide(d, maxWidth);
    int width = ceilDivide(d, count);
    int height = Math.min(TILE_VALUES / width, MAX_HEIGHT);
    strips =
        IntStream.range(0, count)
            .mapToObj(s -> strip(s * width, Math.min(s * width + width, d), height))
            .toArray(Strip[]::new);
    headRows = Arrays.stream(strips[0].tiles()).mapToInt(t -> t.head().end() - t.first()).sum();
  }

  private Strip strip(int from, int to, int height) {
    return new Strip(
        from,
        to,
        IntStream.range(0, ceilDivide(n, height))
            .mapToObj(
                b ->
                    new Tile(
                        b, b * height, b * height + Math.min(height, n - b * height), from, to))
            .toArray(Tile[]::new));
  }

  private static int ceilDivide(int a, int b) {
    return (a - 1) / b + 1;
  }

  /** The number of tiles in each strip. */
  int blocks() {
    return strips[0].tiles().length;
  }
}
