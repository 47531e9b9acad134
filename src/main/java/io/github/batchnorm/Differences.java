package io.github.batchnorm;

import io.github.batchnorm.GradientReport.Entry;
import io.github.batchnorm.GradientReport.Findings;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

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
 * may bend within the step, or have a kink there. Where right and left differ by more than their
 * mean, an entry may agree by chance. So a closer look follows the slopes from long steps to short
 * ones. Long steps are off because f bends, short ones because outputs are rounded; both show,
 * because the slopes of two steps then differ. The look ends at the first step where right and left
 * are the same, and the same as at the step before. At a kink they never meet; then, and where
 * rounding hides the meeting, the step decides whose slopes changed least. Beside a kink they meet
 * once the step is shorter than the distance. Rounding may leave few digits there, but enough to
 * tell on which side of the kink x is.
 *
 * <p>The look never sees analytic, so that it cannot stop at a slope because it is the one hoped
 * for.
 *
 * <p>Slopes are kept term by term, a term being one output times its dout, and added up last.
 * Outputs that do not move then add no rounding, and kinks of several outputs do not cancel.
 *
 * <p>The words for what a derivative is off by:
 *
 * <ul>
 *   <li><b>rounding</b>: what the last bits of the outputs make of a slope; the shorter the step,
 *       the more.
 *   <li><b>noise</b>: the most that rounding inside of f may make of a slope.
 *   <li><b>error</b>: what a derivative may be off by, as right and left and two steps tell.
 *   <li><b>digits</b>: a derivative has them if its error is a small part of the derivative itself.
 *   <li><b>rough</b>: f is, if the error leaves no digits and noise does not explain why.
 *   <li><b>flat</b>: a slope so small beside those around it that it stands for 0.
 *   <li><b>allowed</b>: what analytic may be off by, see {@link Entry#allowed}.
 * </ul>
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

  /** A try that agrees but leaves too few digits is repeated with a step so many times as long. */
  private static final double LONGER = 16;

  /** A zero has to be one at a step of so many times the first, about 2 % of the spread, too. */
  private static final double LONG = 4096;

  /** The shortest step of a closer look, relative to its longest. */
  private static final double SHORTEST = 0x1p-104;

  /**
   * Slopes stand for 0 if they are smaller than what slopes change within so small a part of the
   * first step, or a ten billionth of the spread. Next to an optimum analytic is rounded too, and a
   * loss of about 0 does not say by how much.
   */
  private static final double FLAT = 0x1p-15;

  private final Gradient gradient;
  private final double tolerance;
  private final double[] dout; // flat, as out
  private final double[] out; // f(x)
  private boolean hasMoved; // whether any step moved any output

  Differences(Gradient gradient, double tolerance) {
    this.gradient = gradient;
    this.tolerance = tolerance;
    dout = Gradient.flat(gradient.dout());
    out = gradient.outputs(0, 0, gradient.x()[0][0]);
  }

  /** To be asked last. */
  Findings findings(List<Entry> entries) {
    boolean isRepeatable = Arrays.equals(out, gradient.outputs(0, 0, gradient.x()[0][0]));
    boolean agrees = entries.stream().allMatch(Entry::agrees);
    boolean isVacuous = agrees && entries.stream().allMatch(Entry::isZero);
    boolean isFloat = hasMoved && !agrees && seemsToUseFloat();
    Stream<String> reasons =
        Stream.of(
            isRepeatable ? "" : "not repeatable, the last call of f differs from the first",
            isVacuous ? "vacuous, every entry is zero up to rounding" : "",
            hasMoved ? "" : "no step moved an output, as if f ignored x, or is constant here",
            isFloat ? "all outputs are floats, as if f did not use double" : "");
    List<String> named =
        reasons.filter(r -> !r.isEmpty()).map(r -> gradient.name() + ": " + r).toList();
    return new Findings(entries, isRepeatable, isVacuous, named);
  }

  /** Whether all outputs are floats though x is not, and one of them has all digits of a float. */
  private boolean seemsToUseFloat() {
    double[] outputs = gradient.outputs(0, 0, gradient.x()[0][0] + gradient.spread(0) / 3);
    // round numbers are floats too, but their last 12 of 24 bits are 0
    return Arrays.stream(outputs).allMatch(value -> value == (float) value)
        && Arrays.stream(outputs).anyMatch(v -> (Float.floatToIntBits((float) v) & 0xFFF) != 0);
  }

  Entry compare(int i, int j) {
    double first = firstStep(i, j);
    double h = first;
    while (h <= LONGER * LONG * first) {
      Slopes slopes = slopes(i, j, h);
      Estimate central = slopes.central();
      Entry entry = entry(i, j, central, 0);
      double jump = Math.abs(sum(slopes.right()) - sum(slopes.left()));
      if (!entry.agrees() || jump > central.size() + MIN_JUMP * central.rounding()) {
        break;
      }
      boolean isDone = entry.isZero() ? h >= LONG * first : hasDigits(central);
      if (isDone || central.size() == 0) { // if no output moved
        return entry;
      }
      h = entry.isZero() ? LONG * first : LONGER * h;
    }
    return lookCloser(i, j, LONGER * Math.min(LONGER * h, LONG * first));
  }

  /** Follows the slopes from a long step to short ones; see the class comment. */
  private Entry lookCloser(int i, int j, double longest) {
    double least = Math.max(longest * SHORTEST, Math.ulp(gradient.x()[i][j]));
    Slopes longer = slopes(i, j, longest);
    Slopes previous = longer;
    double steep = larger(sum(longer.right()), sum(longer.left()));
    Estimate best = new Estimate(Double.NaN, Double.NaN, Double.POSITIVE_INFINITY, Double.NaN);
    // up to the first that is smooth and good enough
    for (double h = longest / 4;
        h >= least && (best.isKink() || !best.isWithin(tolerance));
        h /= 4) {
      Slopes slopes = slopes(i, j, h);
      Slopes limit = slopes.limit(longer);
      Estimate estimate = limit.comparedWith(previous);
      boolean hasFirstDigits = hasDigits(estimate) && !hasDigits(best);
      if (hasFirstDigits || estimate.error() < best.error()) {
        best = estimate;
      } else if (!estimate.isKink() && 2 * estimate.error() < best.high() - best.low()) {
        best = best.endAt(estimate); // the step is so short that x is seen to be beside the kink
      } else if (!estimate.isKink() && estimate.error() <= 2 * estimate.rounding()) {
        break; // rounding takes all; shorter steps are worse
      }
      longer = slopes;
      previous = limit;
    }
    return entry(i, j, best, FLAT * firstStep(i, j) / longest * steep);
  }

  private boolean hasDigits(Estimate estimate) {
    return estimate.isWithin(MAX_BLUR * tolerance);
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
    double[] right = slopesTo(gradient.x()[i][j] + h, i, j);
    double[] left = slopesTo(gradient.x()[i][j] - h, i, j);
    double all = 0;
    double moved = 0;
    for (int k = 0; k < out.length; k++) {
      double term = dout[k] * out[k];
      boolean moves = right[k] != 0 || left[k] != 0;
      all = Math.hypot(all, term); // squares would overflow
      moved = Math.hypot(moved, moves ? term : 0);
      hasMoved |= moves;
    }
    return new Slopes(right, left, ROUNDINGS * UNIT * (moved == 0 ? all : moved) / h);
  }

  /** From x to another value of its entry. */
  private double[] slopesTo(double value, int i, int j) {
    double[] outputs = gradient.outputs(i, j, value);
    double step = value - gradient.x()[i][j]; // as rounded
    Arrays.setAll(outputs, k -> dout[k] * ((outputs[k] - out[k]) / step));
    return outputs;
  }

  private Entry entry(int i, int j, Estimate found, double flat) {
    double analytic = gradient.analytic()[i][j];
    double noise = MAX_NOISE * unit(i, j) / UNIT * found.rounding();
    boolean rough = found.error() > noise && !hasDigits(found);
    double size = Math.max(Math.abs(analytic), found.size());
    boolean isFlat = size <= flat && Double.isFinite(flat);
    double allowed = isFlat ? flat : tolerance * size + Math.min(found.error(), noise);
    return new Entry(gradient.nameOf(i, j), analytic, found.low(), found.high(), allowed, rough);
  }

  private static double sum(double[] terms) {
    return Arrays.stream(terms).sum();
  }

  private static double larger(double one, double other) {
    return Math.max(Math.abs(one), Math.abs(other));
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
      double mean = (sum(right) + sum(left)) / 2;
      return new Estimate(mean, mean, rounding, rounding);
    }

    /**
     * Richardson's extrapolation: the slopes at a step of length 0, if they change in proportion to
     * the step, as a parabola's do.
     */
    Slopes limit(Slopes longer) {
      double[] ofRight = right.clone();
      double[] ofLeft = left.clone();
      Arrays.setAll(ofRight, k -> (4 * right[k] - longer.right[k]) / 3);
      Arrays.setAll(ofLeft, k -> (4 * left[k] - longer.left[k]) / 3);
      return new Slopes(ofRight, ofLeft, rounding);
    }

    /** The sums of the terms. Their error is how far right and left, now and before, differ. */
    Estimate comparedWith(Slopes previous) {
      double low = 0;
      double high = 0;
      double gap = 0;
      for (int k = 0; k < right.length; k++) {
        boolean isKink = isKink(k, previous);
        low += isKink ? Math.min(right[k], left[k]) : (right[k] + left[k]) / 2;
        high += isKink ? Math.max(right[k], left[k]) : (right[k] + left[k]) / 2;
        gap += isKink ? 0 : Math.abs(right[k] - left[k]);
      }
      double change = larger(sum(right) - sum(previous.right), sum(left) - sum(previous.left));
      // three times, because slopes that are off may come close by chance
      return new Estimate(low, high, 3 * Math.max(gap, change) + rounding, rounding);
    }

    /** Whether right and left of a term differ by more than they changed since a longer step. */
    private boolean isKink(int k, Slopes previous) {
      double change = larger(right[k] - previous.right[k], left[k] - previous.left[k]);
      return Math.abs(right[k] - left[k]) > MIN_JUMP * (change + rounding);
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
    boolean isKink() {
      return low < high;
    }

    double size() {
      return larger(low, high);
    }

    boolean isWithin(double tolerance) {
      return error <= tolerance * size() && Double.isFinite(error);
    }

    /** The slope to that side of a kink where x is, to all its digits; a short step tells which. */
    Estimate endAt(Estimate shorter) {
      double end = Math.abs(low - shorter.low) < Math.abs(high - shorter.low) ? low : high;
      // kinks of several outputs need not lie on the same side
      boolean isEnd = Math.abs(end - shorter.low) <= shorter.error;
      return isEnd ? new Estimate(end, end, error, rounding) : shorter;
    }
  }
}
