package io.github.batchnorm;

import io.github.batchnorm.GradientCheck.Entry;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The numeric side of a gradient check: compares the entries of a {@link Gradient} with slopes of
 * the loss, one by one.
 *
 * <pre>{@code
 * slopes            right(h) = (loss(x + h) - loss(x)) / h,   left(h) = (loss(x) - loss(x - h)) / h
 * first try         (right(h) + left(h)) / 2
 * a closer look     (4 * slope(h) - slope(4h)) / 3 on each side, h four times shorter each time
 * }</pre>
 *
 * <p>Nearly all correct entries agree at the first try, with two calls of f. Where one does not, f
 * may bend within the step, or have a kink there. So a closer look follows the slopes from long
 * steps to short ones. Long steps are off because f bends, short ones because outputs are rounded;
 * both show, because the slopes of two steps then differ. The look ends at the first step where
 * right and left are the same, and the same as at the step before. Beside a kink they meet once the
 * step is shorter than the distance. At a kink they never meet; then, and where rounding hides the
 * meeting, the step decides whose slopes changed least.
 *
 * <p>The look never sees analytic, so that it cannot stop at a slope because it is the one hoped
 * for.
 *
 * <p>Slopes are kept term by term, a term being one output times its dout, and added up last.
 * Outputs that do not move then add no rounding, and kinks of several outputs do not cancel.
 */
final class Differences {
  /** What one rounding adds up to, roughly, until it arrives in an output. */
  private static final double ROUNDINGS = 8;

  private static final double UNIT = 0x1p-52;

  /** An estimate whose relative error is more than so many tolerances leaves too few digits. */
  private static final double MAX_BLUR = 100;

  /** Rounding inside of f may be so many times what its outputs show; if it is more, f is rough. */
  private static final double MAX_NOISE = 1000;

  /** Right and left differ at a kink by so many times what they change from step to step. */
  private static final double MIN_JUMP = 10;

  /** A try that agrees but leaves too few digits is repeated with a step 16 times as long. */
  private static final int FIRST_TRIES = 5;

  /** The shortest step of a closer look, relative to the longest. */
  private static final double SHORTEST = 0x1p-68;

  private final Gradient gradient;
  private final double tolerance;
  private final double[] dout; // flat, as out
  private final double[] out; // f(x)

  /** Whether any step moved any output. */
  boolean hasMoved;

  /** Whether all outputs of all steps fit into a float. */
  boolean hasOnlyFloats = true;

  Differences(Gradient gradient, double tolerance) {
    this.gradient = gradient;
    this.tolerance = tolerance;
    dout = Gradient.flat(gradient.dout());
    out = gradient.outputs(0, 0, gradient.x()[0][0]);
  }

  /** Whether f gives the same outputs as at the start, to the bit. To be asked last. */
  boolean isRepeatable() {
    return Arrays.equals(out, gradient.outputs(0, 0, gradient.x()[0][0]));
  }

  Entry compare(int i, int j) {
    double h = firstStep(i, j);
    for (int tries = 0; tries < FIRST_TRIES; tries++) {
      Estimate central = slopes(i, j, h).central();
      Entry entry = entry(i, j, central);
      if (!entry.agrees()) {
        break;
      }
      if (entry.isZero() || hasDigits(central)) {
        return entry;
      }
      h *= 16;
    }
    return entry(i, j, lookCloser(i, j, 256 * h));
  }

  /** Follows the slopes from a long step to short ones; see the class comment. */
  private Estimate lookCloser(int i, int j, double longest) {
    double shortest = Math.max(longest * SHORTEST, Math.ulp(gradient.x()[i][j]));
    Estimate best = Estimate.NONE;
    Slopes longer = slopes(i, j, longest);
    Slopes previous = longer;
    for (double h = longest / 4; h >= shortest; h /= 4) {
      Slopes slopes = slopes(i, j, h);
      Slopes limit = slopes.limit(longer);
      Estimate estimate = limit.comparedWith(previous);
      if (!estimate.isKink() && estimate.blur() <= tolerance) {
        return estimate;
      }
      if (beats(estimate, best)) {
        best = estimate;
      } else if (!hasDigits(estimate) && estimate.error() <= 2 * estimate.rounding()) {
        return best;
      }
      longer = slopes;
      previous = limit;
    }
    return best;
  }

  private boolean beats(Estimate one, Estimate other) {
    return hasDigits(one) == hasDigits(other) ? one.error() < other.error() : hasDigits(one);
  }

  private boolean hasDigits(Estimate estimate) {
    return estimate.blur() <= MAX_BLUR * tolerance;
  }

  /** The step where bends, which grow with h², and rounding, with 1 / h, are off by as much. */
  private double firstStep(int i, int j) {
    double h = gradient.spread(j) * Math.cbrt(unit(i, j));
    // no less than what moves x; a power of two, which x + h and x - h do not round
    return Math.max(Math.scalb(1.0, Math.getExponent(h)), 2 * Math.ulp(gradient.x()[i][j]));
  }

  /** What f may lose of x, relative to the spread: an f that subtracts a mean rounds as x does. */
  private double unit(int i, int j) {
    return Math.max(UNIT, Math.ulp(gradient.x()[i][j]) / gradient.spread(j));
  }

  /** The slopes of all terms, and what rounding makes of the terms that moved, all if none did. */
  private Slopes slopes(int i, int j, double h) {
    double x = gradient.x()[i][j];
    double above = x + h;
    double below = x - h;
    double[] outAbove = gradient.outputs(i, j, above);
    double[] outBelow = gradient.outputs(i, j, below);
    double[] right = new double[out.length];
    double[] left = new double[out.length];
    double all = 0;
    double moved = 0;
    for (int k = 0; k < out.length; k++) {
      right[k] = dout[k] * ((outAbove[k] - out[k]) / (above - x));
      left[k] = dout[k] * ((out[k] - outBelow[k]) / (x - below));
      double term = dout[k] * out[k];
      all = Math.hypot(all, term); // squares would overflow
      if (outAbove[k] != out[k] || outBelow[k] != out[k]) {
        moved = Math.hypot(moved, term);
        hasMoved = true;
      }
      hasOnlyFloats &= outAbove[k] == (float) outAbove[k];
    }
    double rounded = moved == 0 ? all : moved;
    return new Slopes(right, left, ROUNDINGS * UNIT * rounded / h);
  }

  private Entry entry(int i, int j, Estimate found) {
    double analytic = gradient.analytic()[i][j];
    double noise = MAX_NOISE * unit(i, j) / UNIT * found.rounding();
    boolean rough = found.error() > noise && !hasDigits(found);
    double size = Math.max(Math.abs(analytic), found.size());
    double allowed = tolerance * size + Math.min(found.error(), noise);
    return new Entry(gradient.nameOf(i, j), analytic, found.low(), found.high(), allowed, rough);
  }

  /**
   * The slopes of each term of the loss.
   *
   * @param right to the right of x
   * @param left to the left of x
   * @param rounding what rounding makes of their sums
   */
  private record Slopes(double[] right, double[] left, double rounding) {

    Estimate central() {
      IntStream terms = IntStream.range(0, right.length);
      double sum = terms.mapToDouble(k -> (right[k] + left[k]) / 2).sum();
      return new Estimate(sum, sum, rounding, rounding);
    }

    /** The slopes at a step of length 0, if they change in proportion to it, as a parabola's do. */
    Slopes limit(Slopes longer) {
      double[] right = new double[this.right.length];
      double[] left = new double[this.left.length];
      for (int k = 0; k < right.length; k++) {
        right[k] = (4 * this.right[k] - longer.right[k]) / 3;
        left[k] = (4 * this.left[k] - longer.left[k]) / 3;
      }
      return new Slopes(right, left, rounding);
    }

    /** The sums of the terms. Their error is how far right and left, now and before, differ. */
    Estimate comparedWith(Slopes previous) {
      double low = 0;
      double high = 0;
      double gap = 0;
      double changeRight = 0;
      double changeLeft = 0;
      for (int k = 0; k < right.length; k++) {
        double ofRight = right[k] - previous.right[k];
        double ofLeft = left[k] - previous.left[k];
        changeRight += ofRight;
        changeLeft += ofLeft;
        double change = Math.max(Math.abs(ofRight), Math.abs(ofLeft));
        double jump = right[k] - left[k];
        boolean isKink = Math.abs(jump) > MIN_JUMP * (change + rounding);
        double half = isKink ? Math.abs(jump) / 2 : 0;
        double middle = (right[k] + left[k]) / 2;
        low += middle - half;
        high += middle + half;
        gap += isKink ? 0 : jump;
      }
      double change = Math.max(Math.abs(changeRight), Math.abs(changeLeft));
      // three times, because slopes that are off may come close by chance
      return new Estimate(low, high, 3 * Math.max(Math.abs(gap), change) + rounding, rounding);
    }
  }

  /**
   * A derivative of the loss.
   *
   * @param low the derivative, or at a kink the least slope
   * @param high the same, or at a kink the largest slope
   * @param error how far each may be off
   * @param rounding the part of it that rounding explains
   */
  private record Estimate(double low, double high, double error, double rounding) {
    static final Estimate NONE =
        new Estimate(Double.NaN, Double.NaN, Double.POSITIVE_INFINITY, Double.NaN);

    boolean isKink() {
      return low < high;
    }

    /** The relative error. */
    double blur() {
      return error / size();
    }

    double size() {
      return Math.max(Math.abs(low), Math.abs(high));
    }
  }
}
