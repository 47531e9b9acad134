package io.github.batchnorm;

import io.github.batchnorm.Differences.Findings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Compares a gradient that some code computed (analytic) with slopes of the loss (numeric), for any
 * function of a matrix or a vector, a whole network too. Made for unit tests: it returns a {@link
 * Report}, and the caller asserts that it {@link Report#passed passed}.
 *
 * <p>f is the loss itself. Or f has an output of its own, a matrix or a vector, and dout is the
 * derivative of the loss with respect to that output; the gradient in question is then that of
 * {@code Σ dout * f(x)}. The second form is sharper, because the check sees the outputs one by one.
 *
 * <pre>{@code
 * double[][] x = {{4, 3}, {4, 0}, {1, -6}, {2, 2}};
 * double[][] dout = {{1, 2}, {4, -1}, {1, 5}, {0, 3}};         // random in a test of yours
 * BatchNormLayer layer = new BatchNormLayer(2);
 * layer.forward(x);
 * double[][] dx = layer.backward(dout).dx();                   // or a gradient of your own
 * GradientCheck.Report report = GradientCheck.check(layer.copy()::forward, x, dout, dx);
 * if (!report.passed()) {                                      // in a test: assertTrue
 *   throw new AssertionError(report);
 * }
 * }</pre>
 *
 * <p>An entry agrees if
 *
 * <pre>{@code
 * |analytic - numeric| <= tolerance * max(|analytic|, |numeric|) + what rounding makes of numeric
 * }</pre>
 *
 * <ul>
 *   <li><b>Step.</b> The first try is a central difference. Its step follows the spread of the
 *       column: a fixed step, or one that follows |x|, is off by up to 100 % on features with a
 *       small spread or a large mean. If the entry does not agree, or if rounding leaves too few
 *       digits to tell, or if the slopes to both sides differ widely, the check looks closer, with
 *       longer and shorter steps. A wave that fits between any two of them, such as that of {@code
 *       sin(2 * π * x)} beside an outlier that makes the steps whole numbers, is not seen.
 *   <li><b>Kink.</b> At a kink, such as ReLU at 0, the slopes to both sides differ at every step.
 *       An entry agrees if it lies between them. With a dout this holds output by output.
 *   <li><b>Zero.</b> An entry that is too small to be told from rounding, also with a step of 2 %
 *       of the spread, agrees, and is counted by {@link Report#zeros}. So does one next to an
 *       optimum, where analytic and numeric are about a ten billionth of what they are one spread
 *       away. A loss that is nearly 0 although its terms are not, such as the KL divergence of
 *       equal distributions, hides how much it is rounded: add 1 to it.
 *   <li><b>Vacuous</b> is a check where every entry is zero: no backward pass at all would agree
 *       too. The gradient of a bias ahead of a batch norm is of that kind, and so is dx behind one
 *       if dout is constant down the columns.
 *   <li><b>NaN and infinity</b> agree with nothing, in analytic or around x.
 *   <li><b>Not repeatable</b> is an f whose outputs at x differ in a bit between the first call and
 *       the last. The check then fails.
 * </ul>
 *
 * <p><b>f is called many times</b>, twice per entry or more, and should not change anything. A
 * layer that is to keep its running averages is therefore checked as {@code layer.copy()::forward}.
 * f gets a new copy of x in every call, and its output is copied: it may write into its argument
 * and return the same array every time. The caller's arrays are never written, and what f throws
 * goes through to the caller.
 *
 * <p><b>Threads:</b> nothing is shared between calls; f is called by the caller's thread only.
 */
public final class GradientCheck {
  /** The derivative of a loss with respect to itself. */
  private static final double[][] ONE = {{1}};

  private GradientCheck() {}

  /**
   * Checks the derivative with respect to a matrix of a function whose output is a matrix.
   *
   * @param f takes a matrix of the shape of x; may be called many times, and should not change
   *     anything: {@code layer.copy()::forward}
   * @param x where, shape (N, D), finite; not modified
   * @param dout the derivative of the loss with respect to {@code f(x)}, of its shape, finite; not
   *     modified
   * @param analytic the derivative of the loss with respect to x in question, shape (N, D); not
   *     modified
   * @return what was found
   * @throws NullPointerException if an argument, a row of it, or an output of f is null
   * @throws IllegalArgumentException if an argument or an output of f has another shape, or if x or
   *     dout hold a value that is not finite
   */
  public static Report check(
      Function<double[][], double[][]> f, double[][] x, double[][] dout, double[][] analytic) {
    return options().check(f, x, dout, analytic);
  }

  /**
   * Checks the derivative with respect to a matrix of a function whose output is a vector.
   *
   * @param f takes a matrix of the shape of x; may be called many times, and should not change
   *     anything: {@code layer.copy()::forward}
   * @param x where, shape (N, D), finite; not modified
   * @param dout the derivative of the loss with respect to {@code f(x)}, of its length, finite; not
   *     modified
   * @param analytic the derivative of the loss with respect to x in question, shape (N, D); not
   *     modified
   * @return what was found
   * @throws NullPointerException if an argument, a row of it, or an output of f is null
   * @throws IllegalArgumentException if an argument or an output of f has another shape, or if x or
   *     dout hold a value that is not finite
   */
  public static Report check(
      Function<double[][], double[]> f, double[][] x, double[] dout, double[][] analytic) {
    return options().check(f, x, dout, analytic);
  }

  /**
   * Checks the derivative with respect to a vector, such as gamma, of a function whose output is a
   * matrix.
   *
   * @param f takes a vector of the length of p; called many times, must not change anything
   * @param p where, shape (D), finite; not modified
   * @param dout the derivative of the loss with respect to {@code f(p)}, of its shape, finite; not
   *     modified
   * @param analytic the derivative of the loss with respect to p in question, shape (D); not
   *     modified
   * @return what was found
   * @throws NullPointerException if an argument, a row of it, or an output of f is null
   * @throws IllegalArgumentException if an argument or an output of f has another shape, or if p or
   *     dout hold a value that is not finite
   */
  public static Report check(
      Function<double[], double[][]> f, double[] p, double[][] dout, double[] analytic) {
    return options().check(f, p, dout, analytic);
  }

  /**
   * Checks the derivative with respect to a vector of a function whose output is a vector.
   *
   * @param f takes a vector of the length of p; called many times, must not change anything
   * @param p where, shape (D), finite; not modified
   * @param dout the derivative of the loss with respect to {@code f(p)}, of its length, finite; not
   *     modified
   * @param analytic the derivative of the loss with respect to p in question, shape (D); not
   *     modified
   * @return what was found
   * @throws NullPointerException if an argument, a row of it, or an output of f is null
   * @throws IllegalArgumentException if an argument or an output of f has another shape, or if p or
   *     dout hold a value that is not finite
   */
  public static Report check(
      Function<double[], double[]> f, double[] p, double[] dout, double[] analytic) {
    return options().check(f, p, dout, analytic);
  }

  /**
   * Checks the derivative of a loss with respect to a matrix.
   *
   * @param loss takes a matrix of the shape of x; called many times, must not change anything
   * @param x where, shape (N, D), finite; not modified
   * @param analytic the derivative in question, shape (N, D); not modified
   * @return what was found
   * @throws NullPointerException if an argument or a row of it is null
   * @throws IllegalArgumentException if an argument has another shape, or if x holds a value that
   *     is not finite
   */
  public static Report check(ToDoubleFunction<double[][]> loss, double[][] x, double[][] analytic) {
    return options().check(loss, x, analytic);
  }

  /**
   * Checks the derivative of a loss with respect to a vector.
   *
   * @param loss takes a vector of the length of p; called many times, must not change anything
   * @param p where, shape (D), finite; not modified
   * @param analytic the derivative in question, shape (D); not modified
   * @return what was found
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if an argument has another shape, or if p holds a value that
   *     is not finite
   */
  public static Report check(ToDoubleFunction<double[]> loss, double[] p, double[] analytic) {
    return options().check(loss, p, analytic);
  }

  /**
   * Checks dx, dgamma and dbeta of a layer, in training and in inference, with a random dout and,
   * unless {@link Options#tolerance} says otherwise, a tolerance of 1e-7. Works on copies: the
   * layer is not changed, not even its graph.
   *
   * <p>Tried with spreads of a column from 1e-5 to 1e6 and means up to 1e8, on fresh and on trained
   * layers: a dx 3e-7 off is found in training. In inference the outputs are as large as x is far
   * from the running mean, and the digits that they lose are the check's loss too: {@link
   * Entry#allowed} tells. On a fresh layer a dx 1e-5 off is found up to a mean of 1e8 at a spread
   * of 1.
   *
   * @param layer not modified
   * @param x a mini-batch for it, shape (N, D), N &gt;= 3: with 2 rows the true dx of training is
   *     nearly zero for every dout, and may be lost in rounding; not modified
   * @param seed of dout; the dout differs from what {@code new Random(seed)} draws
   * @return what was found, on all six gradients together; vacuous if one of them is
   * @throws NullPointerException if an argument or a row of x is null
   * @throws IllegalArgumentException if x has fewer than 2 rows or a row that has not D values,
   *     holds a value that is not finite, or has a column whose variance overflows; or if gamma or
   *     beta hold a value that is not finite
   */
  public static Report of(BatchNormLayer layer, double[][] x, long seed) {
    return options().of(layer, x, seed);
  }

  /**
   * Starts a check with other settings.
   *
   * @return new options, whose methods check as the static ones do
   */
  public static Options options() {
    return new Options();
  }

  /** Is told how far a check is. */
  public interface Progress {
    /**
     * Called after each entry.
     *
     * @param done the number of entries checked so far
     * @param total the number of entries to check
     */
    void checked(long done, long total);
  }

  /**
   * One entry of a gradient.
   *
   * @param name such as {@code dx[2][3]}
   * @param analytic the derivative in question
   * @param low the derivative as f has it; at a kink the least slope
   * @param high the same; at a kink the largest slope
   * @param allowed how far analytic may be from there: {@code tolerance * max(|analytic|,
   *     |numeric|)}, and what rounding may have moved
   * @param isRough whether f is so rough here that no two steps agree
   */
  public record Entry(
      String name, double analytic, double low, double high, double allowed, boolean isRough) {

    /**
     * Whether analytic is as close as it has to be.
     *
     * @return false if a value is not finite
     */
    public boolean agrees() {
      return share() <= 1;
    }

    /**
     * Whether f has a kink here, so that its slopes to the right and to the left differ.
     *
     * @return false where f is smooth
     */
    public boolean isKink() {
      return low < high;
    }

    /**
     * Whether the entry is too small to be told from rounding.
     *
     * @return true if analytic and numeric are no larger than what is allowed
     */
    public boolean isZero() {
      return Math.max(Math.abs(analytic), Math.max(Math.abs(low), Math.abs(high))) <= allowed;
    }

    /**
     * How far analytic is from the derivative as f has it.
     *
     * @return 0 between the slopes of a kink; NaN if a value is not finite
     */
    public double difference() {
      return Math.max(0, Math.max(low - analytic, analytic - high));
    }

    /** The difference as a share of what is allowed. */
    private double share() {
      double share = difference() == 0 ? 0 : difference() / allowed;
      return Double.isFinite(allowed) ? share : Double.POSITIVE_INFINITY;
    }

    @Override
    public String toString() {
      String found = isKink() ? "at a kink, slopes " + low + " to " + high : "numerically " + low;
      String odd = Double.isFinite(low) ? "" : ", f is not finite around here";
      odd = isRough ? ", f is rough here: no two steps agree" : odd;
      String text = "%s is %s, %s: difference %.1e, allowed %.1e%s";
      return String.format(Locale.ROOT, text, name, analytic, found, difference(), allowed, odd);
    }
  }

  /**
   * What a check found. Immutable; its {@link #toString} is made for the message of an assertion.
   */
  public static final class Report {
    private static final int MOST = 5; // that are printed of each kind
    private static final Predicate<Entry> AT_KINK = entry -> entry.agrees() && entry.isKink();

    private final double tolerance;
    private final List<Findings> all; // one for each gradient
    private final List<Entry> entries; // of all, the worst first

    private Report(double tolerance, List<Findings> all) {
      this.tolerance = tolerance;
      this.all = List.copyOf(all);
      Comparator<Entry> worstFirst = Comparator.comparingDouble(Entry::share).reversed();
      entries = all.stream().flatMap(f -> f.entries().stream()).sorted(worstFirst).toList();
    }

    /**
     * Whether the check shows that the gradient is correct: it {@link #agrees} and is not {@link
     * #isVacuous vacuous}.
     *
     * @return true if a test may pass
     */
    public boolean passed() {
      return agrees() && !isVacuous();
    }

    /**
     * Whether all entries agree and f is repeatable.
     *
     * @return true if there is no contradiction
     */
    public boolean agrees() {
      return failed() == 0 && all.stream().allMatch(Findings::isRepeatable);
    }

    /**
     * Whether every entry is zero up to rounding, so that no backward pass at all would agree too.
     * Of several gradients one is enough.
     *
     * @return true if the check shows nothing
     */
    public boolean isVacuous() {
      return all.stream().anyMatch(Findings::isVacuous);
    }

    /**
     * The number of entries compared.
     *
     * @return at least 1
     */
    public long checked() {
      return entries.size();
    }

    /**
     * The number of entries that do not agree.
     *
     * @return from 0 to {@link #checked}
     */
    public long failed() {
      return those(entry -> !entry.agrees()).count();
    }

    /**
     * The number of entries that agree because they lie between the slopes of a kink.
     *
     * @return from 0 to {@link #checked}
     */
    public long kinks() {
      return those(AT_KINK).count();
    }

    /**
     * The number of entries that agree because they are too small to be told from rounding.
     *
     * @return from 0 to {@link #checked}
     */
    public long zeros() {
      return those(entry -> entry.agrees() && entry.isZero()).count();
    }

    /**
     * The entry whose difference takes the largest share of what is allowed.
     *
     * @return that, also if it agrees
     */
    public Entry worst() {
      return entries.get(0);
    }

    /**
     * The entries that do not agree.
     *
     * @return up to ten, the worst first; unmodifiable
     */
    public List<Entry> failures() {
      return those(entry -> !entry.agrees()).limit(2 * MOST).toList();
    }

    /**
     * What is to be said of the check as a whole: not repeatable, vacuous, likely causes.
     *
     * @return empty if there is nothing to say; unmodifiable
     */
    public List<String> reasons() {
      return all.stream().flatMap(findings -> findings.reasons().stream()).toList();
    }

    private Stream<Entry> those(Predicate<Entry> condition) {
      return entries.stream().filter(condition);
    }

    /** Verdict, counts, up to five failures or else the worst entry, up to five kinks, reasons. */
    @Override
    public String toString() {
      String verdict = !agrees() ? "FAILED" : isVacuous() ? "VACUOUS" : "passed";
      String format = "%s: %d of %d entries fail at tolerance %.1e; %d zero, %d at a kink";
      Object[] counts = {verdict, failed(), checked(), tolerance, zeros(), kinks()};
      List<Object> lines = new ArrayList<>(List.of(String.format(Locale.ROOT, format, counts)));
      lines.addAll(entries.stream().limit(Math.max(1, Math.min(failed(), MOST))).toList());
      lines.addAll(those(AT_KINK).limit(MOST).toList());
      lines.addAll(reasons());
      return lines.stream().distinct().map(Object::toString).collect(Collectors.joining("\n  "));
    }
  }

  /**
   * Settings of a check, and the check. The methods {@code check} and {@code of} take the arguments
   * of the static ones. Not for use by several threads at once.
   */
  public static final class Options {
    private static final double TOLERANCE = 1e-6;
    private static final double TOLERANCE_OF_A_LAYER = 1e-7;

    private double tolerance; // 0 until it is set
    private int count = Integer.MAX_VALUE;
    private long seed;
    private Progress progress = (done, total) -> {};

    private Options() {}

    /**
     * Sets the relative error that passes, on top of what rounding explains. If not called, it is
     * 1e-6, and 1e-7 in {@link #of}.
     *
     * @param tolerance in (0, 1)
     * @return these options
     * @throws IllegalArgumentException if it is not
     */
    public Options tolerance(double tolerance) {
      this.tolerance = Check.tolerance(tolerance);
      return this;
    }

    /**
     * Checks a random sample of the entries; all if not called.
     *
     * @param count of entries in each gradient, at least 1
     * @param seed of the choice
     * @return these options
     * @throws IllegalArgumentException if {@code count < 1}
     */
    public Options sample(int count, long seed) {
      Check.atLeast(1, "count", count);
      this.count = count;
      this.seed = seed;
      return this;
    }

    /**
     * Sets who is told how far a long check is; nobody if not called.
     *
     * @param progress called after each entry
     * @return these options
     * @throws NullPointerException if {@code progress} is null
     */
    public Options onProgress(Progress progress) {
      this.progress = Objects.requireNonNull(progress, "progress is null");
      return this;
    }

    /**
     * Checks a derivative with respect to a matrix; the output is a matrix.
     *
     * @param f the function
     * @param x where, shape (N, D)
     * @param dout the derivative of the loss with respect to the output
     * @param analytic the derivative of the loss in question
     * @return what was found
     * @throws NullPointerException if an argument, a row of it, or an output of f is null
     * @throws IllegalArgumentException if an argument or an output of f has another shape, or if x
     *     or dout hold a value that is not finite
     */
    public Report check(
        Function<double[][], double[][]> f, double[][] x, double[][] dout, double[][] analytic) {
      Check.nonNull(f, "f");
      Check.finiteMatrix("x", x);
      Check.finiteMatrix("dout", dout);
      Check.shape("analytic", analytic, x.length, x[0].length, "x");
      return run(TOLERANCE, List.of(new Gradient("analytic", false, f, x, dout, analytic)));
    }

    /**
     * Checks a derivative with respect to a matrix; the output is a vector.
     *
     * @param f the function
     * @param x where, shape (N, D)
     * @param dout the derivative of the loss with respect to the output
     * @param analytic the derivative of the loss in question
     * @return what was found
     * @throws NullPointerException if an argument, a row of it, or an output of f is null
     * @throws IllegalArgumentException if an argument or an output of f has another shape, or if x
     *     or dout hold a value that is not finite
     */
    public Report check(
        Function<double[][], double[]> f, double[][] x, double[] dout, double[][] analytic) {
      Check.nonNull(f, "f");
      Check.vector("dout", dout);
      return check(at -> new double[][] {f.apply(at)}, x, new double[][] {dout}, analytic);
    }

    /**
     * Checks a derivative with respect to a vector; the output is a matrix.
     *
     * @param f the function
     * @param p where, shape (D)
     * @param dout the derivative of the loss with respect to the output
     * @param analytic the derivative of the loss in question
     * @return what was found
     * @throws NullPointerException if an argument, a row of it, or an output of f is null
     * @throws IllegalArgumentException if an argument or an output of f has another shape, or if p
     *     or dout hold a value that is not finite
     */
    public Report check(
        Function<double[], double[][]> f, double[] p, double[][] dout, double[] analytic) {
      Check.nonNull(f, "f");
      Check.vector("p", p);
      Check.finiteMatrix("dout", dout);
      Check.length("analytic", analytic, p.length);
      return run(TOLERANCE, List.of(Gradient.byVector("analytic", f, p, dout, analytic)));
    }

    /**
     * Checks a derivative with respect to a vector; the output is a vector.
     *
     * @param f the function
     * @param p where, shape (D)
     * @param dout the derivative of the loss with respect to the output
     * @param analytic the derivative of the loss in question
     * @return what was found
     * @throws NullPointerException if an argument, a row of it, or an output of f is null
     * @throws IllegalArgumentException if an argument or an output of f has another shape, or if p
     *     or dout hold a value that is not finite
     */
    public Report check(
        Function<double[], double[]> f, double[] p, double[] dout, double[] analytic) {
      Check.nonNull(f, "f");
      Check.vector("dout", dout);
      return check(at -> new double[][] {f.apply(at)}, p, new double[][] {dout}, analytic);
    }

    /**
     * Checks a derivative of a loss with respect to a matrix.
     *
     * @param loss the function
     * @param x where, shape (N, D)
     * @param analytic the derivative of the loss in question
     * @return what was found
     * @throws NullPointerException if an argument or a row of it is null
     * @throws IllegalArgumentException if an argument has another shape, or if x holds a value that
     *     is not finite
     */
    public Report check(ToDoubleFunction<double[][]> loss, double[][] x, double[][] analytic) {
      Check.nonNull(loss, "loss");
      return check(at -> new double[][] {{loss.applyAsDouble(at)}}, x, ONE, analytic);
    }

    /**
     * Checks a derivative of a loss with respect to a vector.
     *
     * @param loss the function
     * @param p where, shape (D)
     * @param analytic the derivative of the loss in question
     * @return what was found
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if an argument has another shape, or if p holds a value that
     *     is not finite
     */
    public Report check(ToDoubleFunction<double[]> loss, double[] p, double[] analytic) {
      Check.nonNull(loss, "loss");
      return check(at -> new double[][] {{loss.applyAsDouble(at)}}, p, ONE, analytic);
    }

    /**
     * Checks dx, dgamma and dbeta of a layer, in training and in inference.
     *
     * @param layer not modified
     * @param x a mini-batch for it, shape (N, D)
     * @param seed of dout
     * @return what was found, on all six gradients together
     * @throws NullPointerException if an argument or a row of x is null
     * @throws IllegalArgumentException if x has fewer than 2 rows or a row that has not D values,
     *     holds a value that is not finite, or has a column whose variance overflows; or if gamma
     *     or beta hold a value that is not finite
     */
    public Report of(BatchNormLayer layer, double[][] x, long seed) {
      Check.nonNull(layer, "layer");
      double[] gamma = layer.gamma().clone();
      BatchNormLayer trained = layer.copy();
      trained.forward(x);
      // not the numbers of a Random of this seed, of which the caller may have made x
      SplittableRandom random = new SplittableRandom(~seed);
      double[][] dout = new double[x.length][];
      Arrays.setAll(dout, i -> random.doubles(gamma.length, -1, 1).toArray());
      List<Gradient> all = new ArrayList<>();
      for (boolean training : new boolean[] {true, false}) {
        String mode = training ? "training " : "inference ";
        BatchNormGradients d = training ? trained.backward(dout) : layer.inferBackward(x, dout);
        Function<double[][], double[][]> byX = at -> out(layer, gamma, layer.beta(), at, training);
        all.add(new Gradient(mode + "dx", false, byX, x, dout, d.dx()));
        Function<double[], double[][]> byGamma = g -> out(layer, g, layer.beta(), x, training);
        all.add(Gradient.byVector(mode + "dgamma", byGamma, gamma, dout, d.dgamma()));
        Function<double[], double[][]> byBeta = b -> out(layer, gamma, b, x, training);
        all.add(Gradient.byVector(mode + "dbeta", byBeta, layer.beta(), dout, d.dbeta()));
      }
      return run(TOLERANCE_OF_A_LAYER, all);
    }

    private static double[][] out(
        BatchNormLayer layer, double[] gamma, double[] beta, double[][] x, boolean training) {
      BatchNormLayer copy = layer.copy();
      System.arraycopy(gamma, 0, copy.gamma(), 0, gamma.length);
      System.arraycopy(beta, 0, copy.beta(), 0, beta.length);
      return training ? copy.forward(x) : copy.infer(x);
    }

    private Report run(double usualTolerance, List<Gradient> gradients) {
      double relative = tolerance == 0 ? usualTolerance : tolerance;
      long total = gradients.stream().mapToLong(g -> Math.min(count, g.size())).sum();
      long done = 0;
      List<Findings> all = new ArrayList<>();
      for (Gradient gradient : gradients) {
        Differences differences = new Differences(gradient, relative);
        int columns = gradient.x()[0].length;
        List<Entry> found = new ArrayList<>();
        for (long k : chosen(gradient.size())) {
          found.add(differences.compare((int) (k / columns), (int) (k % columns)));
          progress.checked(++done, total);
        }
        all.add(differences.findings(found));
      }
      return new Report(relative, all);
    }

    private Iterable<Long> chosen(long size) {
      LongStream some = new Random(seed).longs(0, size).distinct().limit(count).sorted();
      return (count < size ? some : LongStream.range(0, size))::iterator;
    }
  }
}
