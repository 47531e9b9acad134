package io.github.batchnorm;

import static io.github.batchnorm.TestData.combine;
import static io.github.batchnorm.TestData.copy;
import static io.github.batchnorm.TestLayers.map;
import static io.github.batchnorm.TestLayers.transposed;

import java.util.Arrays;
import java.util.function.UnaryOperator;

/** Mistakes in a gradient, whatever it is the gradient of. */
enum PlantedMistake {
  SIGN(g -> map(g, v -> -v)),
  TWICE(g -> map(g, v -> 2 * v)),
  HALF(g -> map(g, v -> v / 2)),
  TEN_PERCENT_MORE(g -> map(g, v -> 1.1 * v)),
  A_THOUSANDTH_MORE(g -> map(g, v -> 1.001 * v)),
  A_HUNDRED_THOUSANDTH_MORE(g -> map(g, v -> 1.00001 * v)),
  DIVIDED_BY_THE_ROWS(g -> map(g, v -> v / (g.length + 1))),
  ALL_ZERO(g -> map(g, v -> 0)),
  ABSOLUTE(g -> map(g, Math::abs)),
  NEGATIVE_PART_LOST(g -> map(g, v -> Math.max(v, 0))),
  SMALL_ONES_LOST(g -> map(g, v -> Math.abs(v) < largest(g) / 10 ? 0 : v)),
  CLIPPED(g -> map(g, v -> Math.max(-largest(g) / 2, Math.min(v, largest(g) / 2)))),
  ROUNDED_TO_THREE_DIGITS(g -> map(g, v -> Math.rint(1000 * v / largest(g)) * largest(g) / 1000)),
  MEAN_SUBTRACTED(g -> map(g, v -> v - Arrays.stream(flat(g)).average().orElseThrow())),
  WEIGHT_DECAY_ADDED(g -> map(g, v -> v + largest(g) / 100)),
  TRANSPOSED(g -> reshaped(transposed(g), g)),
  ROWS_REVERSED(g -> reversed(g)),
  COLUMNS_REVERSED(g -> transposed(reversed(transposed(g)))),
  FIRST_ROW_ZERO(g -> withRow(g, 0, 0)),
  LAST_ROW_ZERO(g -> withRow(g, g.length - 1, 0)),
  ONE_ROW_SIGN(g -> withRow(g, g.length / 2, -1)),
  FIRST_COLUMN_ZERO(g -> transposed(withRow(transposed(g), 0, 0))),
  ONE_COLUMN_SIGN(g -> transposed(withRow(transposed(g), g[0].length / 2, -1))),
  ONE_COLUMN_TEN_PERCENT_MORE(g -> transposed(withRow(transposed(g), g[0].length - 1, 1.1))),
  ONE_ENTRY_A_THOUSANDTH_MORE(g -> withEntry(g, 1.001)),
  ONE_ENTRY_ZERO(g -> withEntry(g, 0)),
  ONE_ENTRY_SIGN(g -> withEntry(g, -1)),
  ONE_ENTRY_NAN(g -> withEntry(g, Double.NaN));

  private final UnaryOperator<double[][]> plant;

  PlantedMistake(UnaryOperator<double[][]> plant) {
    this.plant = plant;
  }

  double[][] in(double[][] gradient) {
    return plant.apply(gradient);
  }

  private static double largest(double[][] g) {
    return TestData.largest(g);
  }

  private static double[] flat(double[][] g) {
    return Arrays.stream(g).flatMapToDouble(Arrays::stream).toArray();
  }

  private static double[][] reshaped(double[][] from, double[][] like) {
    double[] values = flat(from);
    double[][] result = copy(like);
    for (int k = 0; k < values.length; k++) {
      result[k / like[0].length][k % like[0].length] = values[k];
    }
    return result;
  }

  private static double[][] reversed(double[][] g) {
    double[][] result = new double[g.length][];
    Arrays.setAll(result, i -> g[g.length - 1 - i].clone());
    return result;
  }

  private static double[][] withRow(double[][] g, int row, double factor) {
    double[][] result = copy(g);
    result[row] = combine(g[row], g[row], (v, same) -> factor * v);
    return result;
  }

  /** One of average size. */
  private static double[][] withEntry(double[][] g, double factor) {
    double mean = Arrays.stream(flat(g)).map(Math::abs).average().orElseThrow();
    double[][] result = copy(g);
    for (double[] row : result) {
      for (int j = 0; j < row.length; j++) {
        if (Math.abs(row[j]) >= mean) {
          row[j] *= factor;
          return result;
        }
      }
    }
    throw new AssertionError("no entry is as large as the mean");
  }
}
