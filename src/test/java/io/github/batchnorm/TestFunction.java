package io.github.batchnorm;

import java.util.Arrays;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.DoubleStream;

/** A function whose derivatives are known; {@link TestFunctions} lists some hundreds. */
record TestFunction(String kind, double[][] x, double[][] dout, UnaryOperator<Dual[][]> f) {
  static Dual[][] constants(double[][] x) {
    return Arrays.stream(x)
        .map(row -> Arrays.stream(row).mapToObj(Dual::of).toArray(Dual[]::new))
        .toArray(Dual[][]::new);
  }

  double[][] out(double[][] at) {
    return Arrays.stream(f.apply(constants(at)))
        .map(row -> Arrays.stream(row).mapToDouble(Dual::value).toArray())
        .toArray(double[][]::new);
  }

  /** The loss, less than that at x, and its derivative by entry (i, j), at another value of it. */
  Dual loss(int i, int j, double value) {
    Dual[][] at = constants(x);
    at[i][j] = new Dual(value, 1);
    Dual[][] out = f.apply(at);
    double[][] centre = out(x);
    Dual sum = Dual.ZERO;
    for (int n = 0; n < out.length; n++) {
      for (int d = 0; d < out[n].length; d++) {
        sum = sum.plus(out[n][d].plus(-centre[n][d]).times(dout[n][d]));
      }
    }
    return sum;
  }

  double[][] gradient() {
    double[][] gradient = new double[x.length][x[0].length];
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < x[0].length; j++) {
        gradient[i][j] = loss(i, j, x[i][j]).slope();
      }
    }
    return gradient;
  }

  /**
   * Whether a change of the derivative by entry (i, j), as a share of it, is above rounding: where
   * the function is straight to 10 %, the loss changes by enough to be seen beside its noise.
   */
  boolean shows(int i, int j, double share) {
    double reach = reach(i, j);
    double change = Math.abs(loss(i, j, x[i][j]).slope()) * reach;
    return reach > 1e-12 * Math.abs(x[i][j])
        && 100 * noise(i, j, reach) <= Math.pow(share, 1.5) * change;
  }

  /** How far from x the derivative stays the same, to 10 %. */
  private double reach(int i, int j) {
    double slope = loss(i, j, x[i][j]).slope();
    double h = new Gradient("", false, z -> z, x, dout, x).spread(j) / 64;
    while (h > 8 * Math.ulp(x[i][j]) && !isStraight(i, j, slope, h)) {
      h /= 2;
    }
    return h;
  }

  private boolean isStraight(int i, int j, double slope, double h) {
    return DoubleStream.of(1, -1, 0.5, -0.5, 0.2, -0.2)
        .map(part -> loss(i, j, x[i][j] + part * h).slope())
        .allMatch(there -> Math.abs(there - slope) <= 0.1 * Math.abs(slope));
  }

  /** How far the loss is from a parabola, which its derivatives tell, and its last bits. */
  private double noise(int i, int j, double reach) {
    double slope = loss(i, j, x[i][j]).slope();
    Random random = new Random(5);
    double noise = TestData.largest(TestData.combine(out(x), dout, (o, d) -> Math.ulp(o) * d));
    for (int k = 0; k < 16; k++) {
      double step = Math.pow(10, -3 - k % 4) * reach * (2 * random.nextDouble() - 1);
      Dual there = loss(i, j, x[i][j] + step);
      noise = Math.max(noise, Math.abs(there.value() - (slope + there.slope()) / 2 * step));
    }
    return noise;
  }
}
