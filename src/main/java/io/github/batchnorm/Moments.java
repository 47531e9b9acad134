package io.github.batchnorm;

import io.github.batchnorm.Grid.Tile;

/**
 * The mean and the squared deviations of some rows, per feature: steps 1 to 4. A tile has its own,
 * so that x comes from memory once for both; those of the tiles are then put together (T. Chan, G.
 * Golub, R. LeVeque, "Algorithms for computing the sample variance", 1983).
 *
 * <p>Each array has shape (D). No checks and no state but the arrays.
 *
 * @param sums {@code Σ (x - shift)}
 * @param mu the mean, rounded
 * @param rest the mean less mu
 * @param sq {@code Σ (x - mean)²}
 */
record Moments(double[] sums, double[] mu, double[] rest, double[] sq) {

  Moments(int d) {
    this(new double[d], new double[d], new double[d], new double[d]);
  }

  /** Takes the moments of the rows of a tile. */
  void of(double[][] x, double[] shift, Tile t) {
    int n = t.end() - t.first();
    Rows.clear(sums, t.from(), t.to());
    Rows.addDifferences(x, shift, t, sums);
    meanOfSums(shift, n, t.from(), t.to());
    Rows.clear(sq, t.from(), t.to());
    Rows.addSquares(x, mu, t, sq);
    for (int j = t.from(); j < t.to(); j++) {
      sq[j] -= n * (rest[j] * rest[j]);
    }
  }

  /** Takes the moments of all tiles of a strip, from those of each. */
  void of(Moments[] tiles, double[] shift, Grid.Strip strip, int n) {
    int from = strip.from();
    int to = strip.to();
    Rows.clear(sums, from, to);
    for (Tile t : strip.tiles()) {
      Rows.add(tiles[t.block()].sums, sums, from, to);
    }
    meanOfSums(shift, n, from, to);
    Rows.clear(sq, from, to);
    for (Tile t : strip.tiles()) {
      addSquares(tiles[t.block()], t.end() - t.first(), n, from, to);
    }
  }

  /** {@code sq += Σ (x - mean)²} over the rows of a tile. */
  private void addSquares(Moments tile, int tileRows, int n, int from, int to) {
    for (int j = from; j < to; j++) {
      double betweenMeans = tile.sums[j] / tileRows - sums[j] / n;
      sq[j] += tile.sq[j] + tileRows * (betweenMeans * betweenMeans);
    }
  }

  /**
   * Step 1: the mean {@code shift + sums / n} as the nearest double and the rest that it lacks.
   *
   * <p>The rest is exact but for the rounding of {@code sums / n} (Knuth's TwoSum, The Art of
   * Computer Programming 2, section 4.2.2).
   */
  private void meanOfSums(double[] shift, int n, int from, int to) {
    for (int j = from; j < to; j++) {
      double a = shift[j];
      double b = sums[j] / n;
      double sum = a + b;
      double bRounded = sum - a;
      rest[j] = (a - (sum - bRounded)) + (b - bRounded);
    }
    for (int j = from; j < to; j++) { // a loop of its own: one store each, see Rows
      mu[j] = shift[j] + sums[j] / n;
    }
  }
}
