package io.github.batchnorm;

import io.github.batchnorm.GradientReport.Entry;
import io.github.batchnorm.GradientReport.Findings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The numeric side of a gradient check: compares the entries of a {@link Gradient} with slopes of
 * the loss, one by one.
 *
 * <pre>{@code
 * right(h) = (loss(x + h) - loss(x)) / h
 * left(h)  = (loss(x) - loss(x - h)) / h
 * centre(h) = (right(h) + left(h)) / 2
 * }</pre>
 *
 * <p><b>First try.</b> Nearly all correct entries agree with centre(h) of a first step h, which
 * takes two calls of f. An entry that is no larger than rounding is tried again with a step of
 * about 2 % of the spread: for 1e11 + p at p = 1, rounding hides the first step, but not the
 * second.
 *
 * <p><b>Closer look.</b> If the entry does not agree, f may be noisy, bend within the step, or have
 * a kink there. This look measures the noise, then follows the slopes from a long step to short
 * ones, each a quarter of the one before. Long steps give a wrong slope because f bends, short ones
 * because of noise. In both cases the slopes of two successive steps differ. The step with the
 * least error is taken.
 *
 * <pre>{@code
 * where f is smooth    (16 * centre(h) - centre(4h)) / 15    Richardson's extrapolation to h = 0
 * at a kink            (4 * right(h) - right(4h)) / 3        and the same of left
 * }</pre>
 *
 * <p>The gradient in question decides how far the first tries go, and so where the look begins.
 * Which step is then taken depends on the slopes only.
 *
 * <p><b>Noise.</b> f may round more than the last bits of its outputs show: a float on the way,
 * large logits, a variance as a difference of squares. Then slopes of short steps are quantized,
 * and two of them may be equal by chance. The noise is estimated from a table of differences (J.
 * Moré, S. Wild, <a href="https://doi.org/10.1137/100786125">Estimating Computational Noise</a>,
 * 2011). The slopes of the steps show the noise a second time; see {@link
 * Estimate#blurredBy(List)}.
 *
 * <p>A term is one output times its dout. Slopes are kept term by term, and added up last. So
 * outputs that do not move add no rounding, and kinks of several outputs do not cancel.
 *
 * <p>Four words describe how far off a derivative may be:
 *
 * <ul>
 *   <li><b>rounding</b>: what noise, and the last bits of the outputs, make of a slope.
 *   <li><b>error</b>: rounding, and the change of the slopes since the longer step.
 *   <li><b>digits</b>: a derivative has digits if its error is a small part of the derivative
 *       itself.
 *   <li><b>flat</b>: a slope so small beside those around it that it stands for 0.
 * </ul>
 */
final class Differences {
  /** The largest number of calls of f for an entry. */
  private static final int MAX_CALLS = 60;

  /**
   * One more step towards the end of a kink takes 2 calls, the shortest walk from there 6 calls.
   */
  private static final int CALLS_TO_END = 8;

  /** By this factor, roughly, one rounding inside f grows until it arrives in an output. */
  private static final double ROUNDINGS = 8;

  private static final double UNIT = 0x1p-52;

  /** An estimate whose relative error is more than this many tolerances leaves too few digits. */
  private static final double MAX_BLUR = 100;

  /** An error counts up to this many times what rounding explains. */
  private static final double MAX_ERROR = 100;

  /** At a kink right and left differ by at least this many times their change from step to step. */
  private static final double MIN_JUMP = 10;

  /**
   * A try that agrees but leaves too few digits is repeated with a step this many times as long.
   */
  private static final double LONGER = 16;

  /**
   * A zero must also be one at a step this many times as long as the first, about 2 % of the
   * spread.
   */
  private static final double LONG = 4096;

  /**
   * This factor keeps steps from being a power of two times a quantum of f: equal errors would look
   * like none.
   */
  private static final double ODD = 0.7;

  /**
   * Where to look for noise, relative to the spread. The first of these distances at which f
   * changes is taken. An f in float changes from about 2^-24 on.
   */
  private static final double[] NEAR = {0, 0x1p-46, 0x1p-36, 0x1p-27, 0x1p-18, 0x1p-12};

  /**
   * A slope stands for 0 if it is smaller than the change of the slopes within this part of the
   * first step, a ten billionth of the spread. Next to an optimum analytic is rounded too, and a
   * loss of about 0 does not tell by how much.
   */
  private static final double FLAT = 0x1p-15;

  private final Gradient gradient;
  private final double tolerance;
  private final double[] dout; // flat, as out
  private final double[] out; // f(x)
  private boolean hasMoved; // whether any step moved any output

  // of the entry under way
  private int i;
  private int j;
  private double x;
  private double spread;
  private double noise; // of the loss; 0 until it is measured
  private double bend; // the least, over all steps, of the steepest slope divided by the length
  private int callsLeft;

  Differences(Gradient gradient, double tolerance) {
    this.gradient = gradient;
    this.tolerance = tolerance;
    dout = Gradient.flat(gradient.dout());
    out = gradient.outputs(0, 0, gradient.x()[0][0]);
  }

  /** The findings on the gradient, once all entries are compared. */
  Findings findings(List<Entry> entries) {
    boolean isRepeatable = Arrays.equals(out, gradient.outputs(0, 0, gradient.x()[0][0]));
    boolean agrees = entries.stream().allMatch(Entry::agrees);
    boolean isVacuous = isRepeatable && agrees && entries.stream().allMatch(Entry::acceptsZero);
    boolean isDoubtful = !agrees || entries.stream().anyMatch(Entry::isRough);
    boolean isFloat = hasMoved && isDoubtful && seemsToUseFloat();
    Stream<String> reasons =
        Stream.of(
            isRepeatable
                ? ""
                : "not repeatable, the last call of f differs from the first: the entries mean nothing",
            isVacuous ? "vacuous, a gradient of zeros would agree too" : "",
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

  /** Tries the first step, and longer ones as long as rounding leaves too few digits. */
  Entry compare(int row, int column) {
    i = row;
    j = column;
    x = gradient.x()[i][j];
    spread = gradient.spread(j);
    noise = 0;
    callsLeft = MAX_CALLS;
    double first = firstStep();
    Slopes slopes = slopes(first);
    bend = slopes.steepest() / first;
    Entry entry = entry(slopes.central(), 0);
    while (entry.agrees() && !slopes.differWidely()) {
      boolean isZero = entry.isZero();
      if (isZero ? slopes.h() >= LONG * first : hasDigits(slopes.central())) {
        return entry;
      } else if (slopes.h() >= LONGER * LONG * first) {
        break;
      }
      slopes = slopes(isZero ? LONG * first : LONGER * slopes.h());
      entry = entry(slopes.central(), 0);
    }
    Estimate found = lookCloser(first, slopes);
    return entry(found, FLAT * first * bend);
  }

  /** Finds the derivative with the steps that suit f; see the class comment. */
  private Estimate lookCloser(double first, Slopes tried) {
    double longest = LONGER * Math.min(LONGER * tried.h(), LONG * first);
    noise = noise();
    boolean isNoisy = ROUNDINGS * noise > tolerance * tried.central().size() * longest;
    longest = isNoisy ? Math.max(longest, spread / 4) : longest;
    // a parameter of 1e-100 has a spread of 1: steps of its own size need a walk of their own
    boolean isTiny = x != 0 && Math.abs(x) < 0x1p-30 * longest;
    Estimate best = walk(longest, isTiny ? MAX_CALLS / 3 : 0);
    best = isTiny && !hasDigits(best) ? better(best, walk(Math.abs(x), 0)) : best;
    return best.isKink() ? endOf(best) : best;
  }

  /** Follows the slopes from a long step to short ones, and takes the best. */
  private Estimate walk(double longest, int callsToKeep) {
    Slopes last = slopes(ODD * longest);
    if (!Double.isFinite(last.central().low()) && x != 0 && Math.abs(x) < longest) {
      last = slopes(ODD * Math.abs(x)); // f may not exist beyond 0, like a logarithm
    }
    Slopes limit = last;
    double quantum = last.least();
    List<Estimate> found = new ArrayList<>();
    while (callsLeft >= callsToKeep + 4 && last.h() >= 4 * leastStep() && !isDone(found)) {
      Slopes slopes = slopes(last.h() / 4);
      Slopes nearer = slopes.limit(last);
      Estimate estimate = nearer.comparedWith(limit);
      // where nothing moves, it may still move by less than the least change seen
      found.add(slopes.steepest() > 0 ? estimate : estimate.blurredBy(quantum));
      quantum = slopes.least() > 0 ? slopes.least() : quantum;
      last = slopes;
      limit = nearer;
    }
    return IntStream.range(0, found.size())
        .mapToObj(n -> found.get(n).blurredBy(found.subList(n + 1, found.size())))
        .reduce(Estimate.NONE, this::better);
  }

  /** Whether the last estimate is good enough, or shorter steps only get worse. */
  private boolean isDone(List<Estimate> found) {
    int n = found.size();
    Estimate last = n == 0 ? Estimate.NONE : found.get(n - 1);
    Estimate previous = n < 2 ? last : found.get(n - 2);
    if (last.isWithin(tolerance)) {
      return isConfirmed(last);
    }
    return last.isKink()
        ? previous.isWithin(10 * tolerance) && last.error() > previous.error()
        : last.error() <= 2 * last.rounding();
  }

  /** Whether a step a thousand times shorter tells the same, as far as it can tell. */
  private boolean isConfirmed(Estimate estimate) {
    Estimate shorter = slopes(Math.max(estimate.h() / 1024, leastStep())).central();
    return estimate.distance(shorter) <= shorter.rounding() + estimate.error();
  }

  private Estimate better(Estimate one, Estimate other) {
    boolean isSame = hasDigits(one) == hasDigits(other);
    return (isSame ? other.error() < one.error() : hasDigits(other)) ? other : one;
  }

  private boolean hasDigits(Estimate estimate) {
    return estimate.isWithin(MAX_BLUR * tolerance);
  }

  /** The slope on that side of a kink where x is, if steps are short enough to tell. */
  private Estimate endOf(Estimate kink) {
    double jump = kink.high() - kink.low();
    double h = kink.h();
    Slopes slopes;
    do {
      h /= 128;
      if (h < 8 * leastStep() || callsLeft < CALLS_TO_END) {
        return kink;
      }
      slopes = slopes(h);
      if (slopes.rounding() > jump / 2) {
        return kink;
      }
    } while (slopes.gap() + slopes.rounding() > jump / 2);
    double slope = slopes.central().low();
    double end = slope < kink.low() + jump / 2 ? kink.low() : kink.high();
    // several outputs may have kinks on both sides; or f bends, and only looked as if it had one
    if (Math.abs(end - slope) <= slopes.gap() + slopes.rounding()) {
      return new Estimate(end, end, kink.error(), kink.rounding(), h);
    }
    return walk(h, 0);
  }

  /** How far rounding inside f puts it off; 0 if no step is short enough to show this. */
  private double noise() {
    double least = 4 * Math.ulp(x); // so that x + 6 * least is exact
    for (double near : NEAR) {
      double d = Math.max(least, near * spread);
      boolean isNext = near == 0 || d > least;
      if (isNext && callsLeft > MAX_CALLS / 2 && change(x + d) != 0) {
        double right = noise(changes(least * Math.rint(3.3 * d / least)));
        if (right >= 0) {
          // a kink to the right is no noise; the spacing is another, for the reason of ODD
          boolean mayBeKink = near > 0 && right > 0;
          return mayBeKink
              ? Math.min(right, Math.max(0, noise(changes(-least * Math.rint(2.3 * d / least)))))
              : right;
        }
      }
    }
    return 0;
  }

  private double[] changes(double spacing) {
    double[] changes = new double[7];
    Arrays.setAll(changes, k -> k == 0 ? 0 : change(x + k * spacing));
    return changes;
  }

  /**
   * The standard deviation of the noise in equally spaced values of a smooth function (Moré, Wild).
   * The k-th differences of a smooth function vanish. Those of noise do not: their variance is σ²
   * (2k)! / (k!)². Three estimates in a row that agree, and differences of both signs, are noise.
   *
   * @return negative if too many values are equal: then the points are too close to each other to
   *     tell
   */
  static double noise(double[] values) {
    if (Arrays.stream(differences(values)).filter(d -> d == 0).count() > 3) {
      return -1;
    }
    double[] levels = new double[values.length];
    boolean[] hasBothSigns = new boolean[values.length];
    double[] differences = values;
    double factor = 1;
    for (int k = 1; k < values.length; k++) {
      differences = differences(differences);
      factor *= k / (4.0 * k - 2); // (k!)² / (2k)!
      double squares = Arrays.stream(differences).map(d -> d * d).sum();
      levels[k] = Math.sqrt(factor * squares / differences.length);
      DoubleSummaryStatistics range = Arrays.stream(differences).summaryStatistics();
      hasBothSigns[k] = range.getMin() < 0 && range.getMax() > 0;
    }
    for (int k = 1; k + 2 < values.length; k++) {
      DoubleSummaryStatistics three = Arrays.stream(levels, k, k + 3).summaryStatistics();
      if (hasBothSigns[k] && three.getMax() <= 4 * three.getMin()) {
        return levels[k];
      }
    }
    return Double.isFinite(levels[5]) ? Math.min(levels[4], levels[5]) : 0;
  }

  private static double[] differences(double[] values) {
    double[] differences = new double[values.length - 1];
    Arrays.setAll(differences, k -> values[k + 1] - values[k]);
    return differences;
  }

  /** The change of the loss from x to another value. */
  private double change(double value) {
    return sum(slopesTo(value)) * (value - x);
  }

  /**
   * The step h at which the error of bends, which grows with h², equals that of rounding, which
   * grows with 1 / h.
   */
  private double firstStep() {
    // what f may lose of x, relative to the spread: an f that subtracts a mean rounds as x does
    double unit = Math.max(UNIT, Math.ulp(x) / spread);
    // a power of two, which x + h and x - h do not round
    return Math.max(Math.scalb(1.0, Math.getExponent(spread * Math.cbrt(unit))), leastStep());
  }

  /** The shortest step that moves x equally far to both sides. */
  private double leastStep() {
    return 2 * Math.ulp(x);
  }

  /** The slopes of all terms, with the rounding of the terms that moved, or of all if none did. */
  private Slopes slopes(double h) {
    double[] right = slopesTo(x + h);
    double[] left = slopesTo(x - h);
    double all = 0;
    double moved = 0;
    for (int k = 0; k < out.length; k++) {
      double term = dout[k] * out[k];
      boolean moves = right[k] != 0 || left[k] != 0;
      all = Math.hypot(all, term); // squares would overflow
      moved = Math.hypot(moved, moves ? term : 0);
      hasMoved |= moves;
    }
    double rounding = ROUNDINGS * Math.max(UNIT * (moved == 0 ? all : moved), noise) / h;
    Slopes slopes = new Slopes(right, left, Slopes.combine(right, left, 0.5, 0.5), rounding, h);
    // a kink or a jump within a step is no bend: shorter steps do not see it
    bend = slopes.steepest() > rounding ? Math.min(bend, slopes.steepest() / h) : bend;
    return slopes;
  }

  /** The slopes of all terms from x to another value. */
  private double[] slopesTo(double value) {
    callsLeft--;
    double[] outputs = gradient.outputs(i, j, value);
    double step = value - x; // as rounded
    Arrays.setAll(outputs, k -> dout[k] * ((outputs[k] - out[k]) / step));
    return outputs;
  }

  private Entry entry(Estimate found, double flat) {
    double analytic = gradient.analytic()[i][j];
    double size = Math.max(Math.abs(analytic), found.size());
    boolean isFlat = size <= flat && Double.isFinite(flat) && !hasDigits(found);
    double explained = Math.min(found.error(), MAX_ERROR * found.rounding());
    double error = hasDigits(found) ? found.error() : explained;
    double allowed = isFlat ? flat : tolerance * size + error;
    // if analytic is large, few digits of a small slope are enough
    boolean isRough = found.error() > MAX_BLUR * tolerance * size && size > allowed;
    return new Entry(gradient.nameOf(i, j), analytic, found.low(), found.high(), allowed, isRough);
  }

  private static double sum(double[] terms) {
    return Arrays.stream(terms).sum();
  }

  private static double larger(double one, double other) {
    return Math.max(Math.abs(one), Math.abs(other));
  }

  /**
   * The slopes of each term of the loss, for a step or in the limit of short ones.
   *
   * @param right to the right of x
   * @param left to the left of x
   * @param centre from the left of x to the right
   * @param rounding what rounding makes of their sums
   * @param h the step
   */
  private record Slopes(double[] right, double[] left, double[] centre, double rounding, double h) {

    /** a * one + b * other. */
    static double[] combine(double[] one, double[] other, double a, double b) {
      double[] result = new double[one.length];
      Arrays.setAll(result, k -> a * one[k] + b * other[k]);
      return result;
    }

    Estimate central() {
      double slope = sum(centre);
      return new Estimate(slope, slope, rounding, rounding, h);
    }

    double steepest() {
      return larger(sum(right), sum(left));
    }

    /** Whether right and left are so different that their mean may agree by chance. */
    boolean differWidely() {
      return Math.abs(sum(right) - sum(left)) > Math.abs(sum(centre)) + MIN_JUMP * rounding;
    }

    /** How far right and left are from each other, over all terms. */
    double gap() {
      return Arrays.stream(combine(right, left, 1, -1)).map(Math::abs).sum();
    }

    /** The least that the loss moved by, to the right or to the left. */
    double least() {
      return h * Math.min(Math.abs(sum(right)), Math.abs(sum(left)));
    }

    /** Richardson's extrapolation to a step of length 0, from this step and one of 4h. */
    Slopes limit(Slopes longer) {
      return new Slopes(
          combine(right, longer.right, 4 / 3.0, -1 / 3.0),
          combine(left, longer.left, 4 / 3.0, -1 / 3.0),
          combine(centre, longer.centre, 16 / 15.0, -1 / 15.0),
          rounding,
          h);
    }

    /** The sums of the terms. Their error is what they changed since the longer step. */
    Estimate comparedWith(Slopes longer) {
      double low = 0;
      double high = 0;
      double byRight = 0;
      double byLeft = 0;
      double gap = 0;
      for (int k = 0; k < right.length; k++) {
        boolean isKink = isKink(k, longer);
        double r = isKink ? right[k] : centre[k];
        double l = isKink ? left[k] : centre[k];
        low += Math.min(r, l);
        high += Math.max(r, l);
        byRight += r - (isKink ? longer.right[k] : longer.centre[k]);
        byLeft += l - (isKink ? longer.left[k] : longer.centre[k]);
        gap += isKink ? 0 : Math.abs(right[k] - left[k]);
      }
      // a bump beside x may leave the centre alone, so the gap counts; less, as it shrinks more
      // slowly; three times, because slopes that are off may come close by chance
      double error = 3 * Math.max(larger(byRight, byLeft), gap / 16) + rounding;
      return new Estimate(low, high, error, rounding, h);
    }

    /** Whether right and left of a term differ by more than they changed since a longer step. */
    private boolean isKink(int k, Slopes longer) {
      double change = larger(right[k] - longer.right[k], left[k] - longer.left[k]);
      return Math.abs(right[k] - left[k]) > MIN_JUMP * (change + rounding);
    }
  }

  /**
   * A derivative of the loss.
   *
   * @param low the derivative, or at a kink the least slope
   * @param high the derivative, or at a kink the largest slope
   * @param error how far each may be off
   * @param rounding the part of the error that rounding explains
   * @param h the step that gave the derivative
   */
  private record Estimate(double low, double high, double error, double rounding, double h) {
    static final Estimate NONE =
        new Estimate(Double.NaN, Double.NaN, Double.POSITIVE_INFINITY, Double.NaN, 0);

    boolean isKink() {
      return low < high;
    }

    double size() {
      return larger(low, high);
    }

    boolean isWithin(double tolerance) {
      return error <= tolerance * size() && Double.isFinite(error);
    }

    double distance(Estimate that) {
      return Math.max(low - that.high, that.low - high);
    }

    /** The same, if the loss is off by so much. */
    Estimate blurredBy(double noise) {
      return new Estimate(low, high, Math.max(error, noise / h), Math.max(rounding, noise / h), h);
    }

    /** The same, with the noise that shorter steps show: what they move by beyond this slope. */
    Estimate blurredBy(List<Estimate> shorter) {
      return blurredBy(
          3 * shorter.stream().mapToDouble(s -> s.h * distance(s)).reduce(0, Math::max));
    }
  }
}
