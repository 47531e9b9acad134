package io.github.batchnorm;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Compares a gradient that some code computed (analytic) with central differences (numeric), for
 * any function of a matrix or a vector. Made for unit tests: it returns a {@link Report}, the
 * caller asserts that it {@link Report#passed passed} and is not {@link Report#isVacuous vacuous}.
 *
 * <pre>{@code
 * numeric   q(h) = (f(x + h) - f(x - h)) / 2h          order 2
 *           (4 * q(h) - q(2h)) / 3                     order 4, the 5-point stencil
 * error     |analytic - numeric| / max(|analytic| + |numeric|, floor)
 * }</pre>
 *
 * <p>If f has an output of its own, any matrix, then dout is the derivative of the loss by it, and
 * the gradient in question that of {@code Σ dout * f(x)}. Or f is the loss itself.
 *
 * <ul>
 *   <li><b>Step.</b> It follows the spread s of the column, the standard deviation; 1 where that is
 *       0 and for vectors: {@code h = s * u^(1/3)}, with order 4 {@code s * u^(1/5)}, where {@code
 *       u = max(2^-52, ulp(|x|) / s)}, rounded down to a power of two, so that x + h and x - h are
 *       doubles. A fixed step, or one that follows |x|, is off by up to 100 % on features with a
 *       small spread or a large mean. Differences are taken output by output before they are
 *       summed, and divided by the distance of the two points as the doubles have it.
 *   <li><b>Floor.</b> The largest |analytic| of the column: an entry near 0 among large ones has
 *       fewer digits. Or up to 100 times that, where rounding blurs the numeric gradient more than
 *       the tolerance: right gradients pass, at the price of that many tolerances.
 *   <li><b>Both about zero</b>, no larger than what rounding makes of 0: the entry passes. NaN and
 *       infinite values fail.
 *   <li><b>Vacuous</b> is a check that wrong code would pass too: if all gradients are about zero,
 *       or if dout is constant down each column. Behind a batch norm the true dx is then 0, and
 *       code that forgets half of the backward walk gives 0 as well.
 *   <li><b>Not repeatable</b> is an f of which two calls at the same point differ in a bit: the
 *       check fails, and says why.
 * </ul>
 *
 * <p>f gets a new copy of x in every call, and its output is copied: it may write into its argument
 * and return the same array every time. The caller's arrays are never written, and what f throws
 * goes through to the caller.
 *
 * <p><b>Threads:</b> nothing is shared between calls; f is called by the caller's thread only.
 */
public final class GradientCheck {
  /** What one rounding adds up to, roughly, until it arrives in an output. */
  private static final double ROUNDINGS = 8;

  private static final double UNIT = 0x1p-52;

  /** An f that loses more is not worth a check: above, every gradient would be about zero. */
  private static final double MAX_UNIT = 0x1p-30;

  /** Where rounding blurs the numeric gradient by more than so many tolerances, nothing passes. */
  private static final double MAX_BLUR = 100;

  /** The derivative of a loss by itself. */
  private static final double[][] ONE = {{1}};

  private GradientCheck() {}

  /**
   * Checks a derivative by a matrix, with the default {@link Options}.
   *
   * @param f gets a copy of x with one value changed
   * @param x where, shape (N, D), finite; not modified
   * @param dout the derivative of the loss by {@code f(x)}, of its shape, finite; not modified
   * @param analytic the derivative of the loss by x in question, shape (N, D); not modified
   * @return what was found
   * @throws NullPointerException if an argument or a row is null, also an output of f
   * @throws IllegalArgumentException if the shapes do not fit, also that of an output of f, or if x
   *     or dout hold a value that is not finite
   */
  public static Report check(
      Function<double[][], double[][]> f, double[][] x, double[][] dout, double[][] analytic) {
    return options().check(f, x, dout, analytic);
  }

  /**
   * Checks a derivative by a vector, such as gamma, with the default {@link Options}.
   *
   * @param f gets a copy of p with one value changed
   * @param p where, shape (D), finite; not modified
   * @param dout the derivative of the loss by {@code f(p)}, of its shape, finite; not modified
   * @param analytic the derivative of the loss by p in question, shape (D); not modified
   * @return what was found
   * @throws NullPointerException as above
   * @throws IllegalArgumentException as above
   */
  public static Report check(
      Function<double[], double[][]> f, double[] p, double[][] dout, double[] analytic) {
    return options().check(f, p, dout, analytic);
  }

  /**
   * Checks a derivative by a vector of a function whose output is a vector too, with the default
   * {@link Options}.
   *
   * @param f gets a copy of p with one value changed
   * @param p where, shape (D), finite; not modified
   * @param dout the derivative of the loss by {@code f(p)}, of its length, finite; not modified
   * @param analytic the derivative of the loss by p in question, shape (D); not modified
   * @return what was found
   * @throws NullPointerException as above
   * @throws IllegalArgumentException as above
   */
  public static Report check(
      Function<double[], double[]> f, double[] p, double[] dout, double[] analytic) {
    return options().check(f, p, dout, analytic);
  }

  /**
   * Checks the derivative of a loss by a matrix, with the default {@link Options}.
   *
   * @param loss gets a copy of x with one value changed
   * @param x where, shape (N, D), finite; not modified
   * @param analytic the derivative in question, shape (N, D); not modified
   * @return what was found
   * @throws NullPointerException as above
   * @throws IllegalArgumentException as above
   */
  public static Report check(ToDoubleFunction<double[][]> loss, double[][] x, double[][] analytic) {
    return options().check(loss, x, analytic);
  }

  /**
   * Checks the derivative of a loss by a vector, with the default {@link Options}.
   *
   * @param loss gets a copy of p with one value changed
   * @param p where, shape (D), finite; not modified
   * @param analytic the derivative in question, shape (D); not modified
   * @return what was found
   * @throws NullPointerException as above
   * @throws IllegalArgumentException as above
   */
  public static Report check(ToDoubleFunction<double[]> loss, double[] p, double[] analytic) {
    return options().check(loss, p, analytic);
  }

  /**
   * Checks dx, dgamma and dbeta of a layer, in training and in inference, with a random dout, order
   * 4 and tolerance 1e-7. Works on copies: the layer is not changed, not even its graph.
   *
   * @param layer not modified
   * @param x a mini-batch for it, shape (N, D); at least 3 rows: with 2 the true dx of training is
   *     nearly zero, and what rounding leaves of it may fail the check
   * @param seed of dout
   * @return what was found, on all six gradients together
   * @throws NullPointerException if an argument or a row is null
   * @throws IllegalArgumentException if {@code layer.forward(x)} would throw it
   */
  public static Report of(BatchNormLayer layer, double[][] x, long seed) {
    return options().order(4).tolerance(1e-7).of(layer, x, seed);
  }

  /**
   * Starts a check with other settings.
   *
   * @return new options
   */
  public static Options options() {
    return new Options();
  }

  /** Is told how far a check is. */
  @FunctionalInterface
  public interface Progress {
    /**
     * Called after each entry.
     *
     * @param done the number of entries checked so far
     * @param total the number of entries to check
     */
    void checked(int done, int total);
  }

  /**
   * One entry of a gradient.
   *
   * @param name such as {@code dx[2][3]}
   * @param row 0 in a vector
   * @param column the index in a vector
   * @param analytic the derivative in question
   * @param numeric by central differences
   * @param absoluteError {@code |analytic - numeric|}
   * @param relativeError that over {@code max(|analytic| + |numeric|, floor)}; 0 if both are about
   *     zero, infinite if one is not finite
   * @param step h
   */
  public record Entry(
      String name,
      int row,
      int column,
      double analytic,
      double numeric,
      double absoluteError,
      double relativeError,
      double step) {
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%s is %s, numerically %s: relative error %.1e, absolute %.1e, step %.1e",
          name,
          analytic,
          numeric,
          relativeError,
          absoluteError,
          step);
    }
  }

  /**
   * What a check found. Immutable; its {@link #toString} is made for the message of an assertion.
   */
  public static final class Report {
    private final int checked;
    private final int failed;
    private final double tolerance;
    private final Entry worst;
    private final List<String> vacuous;
    private final List<String> notRepeatable;

    private Report(double tolerance, Tally tally) {
      this.tolerance = tolerance;
      checked = tally.checked;
      failed = tally.failed;
      worst = tally.worst;
      vacuous = List.copyOf(tally.vacuous);
      notRepeatable = List.copyOf(tally.notRepeatable);
    }

    /**
     * Whether all entries agree and f is repeatable. Look at {@link #isVacuous} too.
     *
     * @return true if there is no contradiction
     */
    public boolean passed() {
      return failed == 0 && notRepeatable.isEmpty();
    }

    /**
     * The number of entries compared.
     *
     * @return at least 1
     */
    public int checked() {
      return checked;
    }

    /**
     * The number of entries that differ by more than the tolerance.
     *
     * @return from 0 to {@link #checked}
     */
    public int failed() {
      return failed;
    }

    /**
     * The entry with the largest relative error.
     *
     * @return that, also if the check passed
     */
    public Entry worst() {
      return worst;
    }

    /**
     * Whether wrong code would pass too: all gradients are about zero, or dout is constant down
     * each column. Of several gradients one is enough.
     *
     * @return true if the check shows nothing
     */
    public boolean isVacuous() {
      return !vacuous.isEmpty();
    }

    /** Verdict, counts, the worst entry, and what makes the check worthless, if something does. */
    @Override
    public String toString() {
      StringBuilder text = new StringBuilder();
      text.append(
          String.format(
              Locale.ROOT,
              "%s: %d of %d entries differ by more than %.1e%n  worst: %s",
              passed() ? isVacuous() ? "VACUOUS" : "passed" : "FAILED",
              failed,
              checked,
              tolerance,
              worst));
      notRepeatable.forEach(why -> text.append(String.format("%n  not repeatable: %s", why)));
      vacuous.forEach(why -> text.append(String.format("%n  vacuous: %s", why)));
      return text.toString();
    }
  }

  /** Settings of a check, and the check. Not for use by several threads at once. */
  public static final class Options {
    private static final double DEFAULT = -1;

    private double step = DEFAULT;
    private int order = 2;
    private double tolerance = 1e-6;
    private double floor = DEFAULT;
    private int entries = Integer.MAX_VALUE;
    private long seed;
    private Progress progress = (done, total) -> {};

    private Options() {}

    /**
     * Sets one step for all entries; if not called, it follows the spread of each column.
     *
     * @param h finite and &gt; 0
     * @return these options
     * @throws IllegalArgumentException if it is not
     */
    public Options step(double h) {
      Check.positive("step", h);
      step = h;
      return this;
    }

    /**
     * Sets the order of the differences; 2 if not called.
     *
     * @param order 2 (two calls of f for an entry) or 4 (four calls)
     * @return these options
     * @throws IllegalArgumentException if it is neither
     */
    public Options order(int order) {
      Check.order(order);
      this.order = order;
      return this;
    }

    /**
     * Sets the largest relative error that passes; 1e-6 if not called.
     *
     * @param relativeError finite and &gt; 0
     * @return these options
     * @throws IllegalArgumentException if it is not
     */
    public Options tolerance(double relativeError) {
      Check.positive("tolerance", relativeError);
      tolerance = relativeError;
      return this;
    }

    /**
     * Sets the floor of the relative error, which is also the largest magnitude that is about zero;
     * if not called, both are found for each entry.
     *
     * @param floor finite and &gt; 0
     * @return these options
     * @throws IllegalArgumentException if it is not
     */
    public Options floor(double floor) {
      Check.positive("floor", floor);
      this.floor = floor;
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
      Check.atLeastOne("count", count);
      entries = count;
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
      Check.nonNull(progress, "progress");
      this.progress = progress;
      return this;
    }

    /**
     * As {@link GradientCheck#check(Function, double[][], double[][], double[][])}.
     *
     * @param f gets a copy of x with one value changed
     * @param x where, shape (N, D), finite; not modified
     * @param dout the derivative of the loss by {@code f(x)}, of its shape, finite; not modified
     * @param analytic the derivative of the loss by x in question, shape (N, D); not modified
     * @return what was found
     */
    public Report check(
        Function<double[][], double[][]> f, double[][] x, double[][] dout, double[][] analytic) {
      Check.nonNull(f, "f");
      Check.finiteMatrix("x", x);
      Check.finiteMatrix("dout", dout);
      Check.shape("analytic", analytic, x.length, x[0].length, "x");
      return run(List.of(new Gradient("analytic", false, f, x, dout, analytic, spread(x), false)));
    }

    /**
     * As {@link GradientCheck#check(Function, double[], double[][], double[])}.
     *
     * @param f gets a copy of p with one value changed
     * @param p where, shape (D), finite; not modified
     * @param dout the derivative of the loss by {@code f(p)}, of its shape, finite; not modified
     * @param analytic the derivative of the loss by p in question, shape (D); not modified
     * @return what was found
     */
    public Report check(
        Function<double[], double[][]> f, double[] p, double[][] dout, double[] analytic) {
      Check.nonNull(f, "f");
      Check.vector("p", p);
      Check.finiteMatrix("dout", dout);
      Check.length("analytic", analytic, p.length);
      double[] spread = new double[p.length];
      Arrays.fill(spread, 1);
      return run(List.of(Gradient.byVector("analytic", f, p, dout, analytic, spread, false)));
    }

    /**
     * As {@link GradientCheck#check(Function, double[], double[], double[])}.
     *
     * @param f gets a copy of p with one value changed
     * @param p where, shape (D), finite; not modified
     * @param dout the derivative of the loss by {@code f(p)}, of its length, finite; not modified
     * @param analytic the derivative of the loss by p in question, shape (D); not modified
     * @return what was found
     */
    public Report check(
        Function<double[], double[]> f, double[] p, double[] dout, double[] analytic) {
      Check.nonNull(f, "f");
      Check.vector("dout", dout);
      return check(at -> new double[][] {f.apply(at)}, p, new double[][] {dout}, analytic);
    }

    /**
     * As {@link GradientCheck#check(ToDoubleFunction, double[][], double[][])}.
     *
     * @param loss gets a copy of x with one value changed
     * @param x where, shape (N, D), finite; not modified
     * @param analytic the derivative in question, shape (N, D); not modified
     * @return what was found
     */
    public Report check(ToDoubleFunction<double[][]> loss, double[][] x, double[][] analytic) {
      Check.nonNull(loss, "loss");
      return check(at -> new double[][] {{loss.applyAsDouble(at)}}, x, ONE, analytic);
    }

    /**
     * As {@link GradientCheck#check(ToDoubleFunction, double[], double[])}.
     *
     * @param loss gets a copy of p with one value changed
     * @param p where, shape (D), finite; not modified
     * @param analytic the derivative in question, shape (D); not modified
     * @return what was found
     */
    public Report check(ToDoubleFunction<double[]> loss, double[] p, double[] analytic) {
      Check.nonNull(loss, "loss");
      return check(at -> new double[][] {{loss.applyAsDouble(at)}}, p, ONE, analytic);
    }

    /**
     * As {@link GradientCheck#of}, with these options.
     *
     * @param layer not modified
     * @param x a mini-batch for it, shape (N, D); not modified
     * @param seed of dout
     * @return what was found, on all six gradients together
     */
    public Report of(BatchNormLayer layer, double[][] x, long seed) {
      Check.nonNull(layer, "layer");
      return run(Gradient.allOf(layer, x, seed));
    }

    private Report run(List<Gradient> gradients) {
      Tally tally = new Tally();
      int total = gradients.stream().mapToInt(g -> Math.min(entries, g.size())).sum();
      for (Gradient gradient : gradients) {
        new Differences(gradient, this).check(tally, total);
      }
      return new Report(tolerance, tally);
    }

    /** The standard deviation of each column; 1 where it is 0. */
    private static double[] spread(double[][] x) {
      double[] spread = new double[x[0].length];
      Arrays.setAll(spread, j -> spread(x, j));
      return spread;
    }

    private static double spread(double[][] x, int j) {
      double mean = Arrays.stream(x).mapToDouble(row -> row[j] / x.length).sum();
      double largest = Arrays.stream(x).mapToDouble(row -> Math.abs(row[j] - mean)).max().orElse(0);
      double var = 0;
      for (double[] row : x) {
        double part = (row[j] - mean) / largest; // its square neither overflows nor underflows
        var += part * part / x.length;
      }
      // a constant column has a rounded mean, and so a largest of about a unit in the last place
      return largest <= 4 * Math.ulp(mean) ? 1 : largest * Math.sqrt(var);
    }
  }

  /**
   * A gradient in question.
   *
   * @param name of it
   * @param isVector whether x is one row that stands for a vector
   * @param f by which the loss is {@code Σ dout * f(x)}
   * @param x where, shape (N, D)
   * @param dout of the shape of {@code f(x)}
   * @param analytic the gradient, shape (N, D)
   * @param spread of each column, shape (D)
   * @param isExact whether f loses nothing of a small change of a large x
   */
  private record Gradient(
      String name,
      boolean isVector,
      Function<double[][], double[][]> f,
      double[][] x,
      double[][] dout,
      double[][] analytic,
      double[] spread,
      boolean isExact) {

    Gradient { // copies: f may write into arrays that it shares with the caller
      x = copy(x);
      dout = copy(dout);
      analytic = copy(analytic);
    }

    static Gradient byVector(
        String name,
        Function<double[], double[][]> f,
        double[] p,
        double[][] dout,
        double[] analytic,
        double[] spread,
        boolean isExact) {
      double[][] x = {p};
      double[][] row = {analytic};
      return new Gradient(name, true, at -> f.apply(at[0]), x, dout, row, spread, isExact);
    }

    /** Training and inference, each with dx, dgamma and dbeta. */
    static List<Gradient> allOf(BatchNormLayer layer, double[][] x, long seed) {
      double[] gamma = layer.gamma().clone();
      double[] beta = layer.beta().clone();
      // out is linear in gamma and beta: a step may be as large as they are
      double[] size = new double[gamma.length];
      Arrays.setAll(size, j -> Math.max(1, Math.max(Math.abs(gamma[j]), Math.abs(beta[j]))));
      BatchNormLayer twin = layer.twin(gamma, beta);
      twin.forward(x);
      double[][] dout = gaussian(x.length, gamma.length, seed);

      List<Gradient> all = new ArrayList<>();
      for (boolean training : new boolean[] {true, false}) {
        String mode = training ? "training " : "inference ";
        double[] spread = training ? twin.graph().sqrtvar() : sqrtvar(layer);
        BatchNormGradients gradients =
            training ? twin.backward(dout) : layer.inferBackward(x, dout);
        Function<double[][], double[][]> byX = at -> out(layer.twin(gamma, beta), at, training);
        Function<double[], double[][]> byGamma = g -> out(layer.twin(g, beta), x, training);
        Function<double[], double[][]> byBeta = b -> out(layer.twin(gamma, b), x, training);
        all.add(new Gradient(mode + "dx", false, byX, x, dout, gradients.dx(), spread, true));
        all.add(byVector(mode + "dgamma", byGamma, gamma, dout, gradients.dgamma(), size, true));
        all.add(byVector(mode + "dbeta", byBeta, beta, dout, gradients.dbeta(), size, true));
      }
      return all;
    }

    private static double[][] out(BatchNormLayer layer, double[][] x, boolean training) {
      return training ? layer.forward(x) : layer.infer(x);
    }

    private static double[] sqrtvar(BatchNormLayer layer) {
      double[] sqrtvar = layer.runningVar();
      Arrays.setAll(sqrtvar, j -> Math.sqrt(sqrtvar[j] + layer.epsilon()));
      return sqrtvar;
    }

    private static double[][] gaussian(int n, int d, long seed) {
      Random random = new Random(seed);
      double[][] matrix = new double[n][d];
      for (double[] row : matrix) {
        Arrays.setAll(row, j -> random.nextGaussian());
      }
      return matrix;
    }

    int size() {
      return x.length * x[0].length;
    }

    /** f at x + h in entry (i, j), of its own. */
    double[][] at(int i, int j, double value) {
      double[][] point = copy(x);
      point[i][j] = value;
      double[][] out = f.apply(point);
      Check.shape("f(" + (isVector ? "p" : "x") + ")", out, dout.length, dout[0].length, "dout");
      return copy(out);
    }

    String place(int i, int j) {
      return name + (isVector ? "" : "[" + i + "]") + "[" + j + "]";
    }

    /** The largest magnitude of a column that is finite. */
    double largest(int j) {
      return Arrays.stream(analytic)
          .mapToDouble(row -> Math.abs(row[j]))
          .filter(Double::isFinite)
          .max()
          .orElse(0);
    }

    boolean hasConstantDout() {
      return dout.length > 1 && Arrays.stream(dout).allMatch(row -> Arrays.equals(row, dout[0]));
    }

    private static double[][] copy(double[][] matrix) {
      return Arrays.stream(matrix).map(double[]::clone).toArray(double[][]::new);
    }
  }

  /** What was found so far. */
  private static final class Tally {
    int checked;
    int failed;
    Entry worst;
    final List<String> vacuous = new ArrayList<>();
    final List<String> notRepeatable = new ArrayList<>();

    void add(Entry entry, double tolerance) {
      checked++;
      if (!(entry.relativeError() <= tolerance)) {
        failed++;
      }
      if (worst == null || entry.relativeError() > worst.relativeError()) {
        worst = entry;
      }
    }
  }

  /** The numeric side of a check. */
  private static final class Differences {
    private final Gradient gradient;
    private final Options options;
    private final double[][] out; // f(x)

    Differences(Gradient gradient, Options options) {
      this.gradient = gradient;
      this.options = options;
      out = gradient.at(0, 0, gradient.x()[0][0]);
    }

    void check(Tally tally, int total) {
      String name = gradient.name();
      if (!Arrays.deepEquals(out, gradient.at(0, 0, gradient.x()[0][0]))) {
        tally.notRepeatable.add(name + ": two calls of f at the same point differ");
      }
      int d = gradient.x()[0].length;
      boolean allAboutZero = true;
      for (int k : chosen(gradient.size())) {
        Compared compared = compare(k / d, k % d);
        tally.add(compared.entry(), options.tolerance);
        allAboutZero &= compared.isAboutZero();
        options.progress.checked(tally.checked, total);
      }
      if (allAboutZero) {
        tally.vacuous.add(name + ": all gradients are about zero");
      }
      if (gradient.hasConstantDout()) {
        tally.vacuous.add(name + ": dout is constant down each column");
      }
    }

    private int[] chosen(int size) {
      if (options.entries >= size) {
        return IntStream.range(0, size).toArray();
      }
      return new Random(options.seed)
          .ints(0, size)
          .distinct()
          .limit(options.entries)
          .sorted()
          .toArray();
    }

    private Compared compare(int i, int j) {
      double analytic = gradient.analytic()[i][j];
      double h = step(i, j);
      Quotient quotient = quotient(i, j, h);
      double numeric = quotient.value();
      if (options.order == 4) {
        numeric = (4 * numeric - quotient(i, j, 2 * h).value()) / 3;
      }
      double zero = options.floor;
      double floor = options.floor;
      if (options.floor == Options.DEFAULT) {
        zero = ROUNDINGS * Math.min(unit(i, j), MAX_UNIT) * quotient.size() / h;
        double largest = gradient.largest(j);
        floor = Math.max(largest, Math.min(zero / options.tolerance, MAX_BLUR * largest));
      }
      double magnitude = Math.abs(analytic) + Math.abs(numeric);
      double absolute = Math.abs(analytic - numeric);
      double relative = absolute / Math.max(magnitude, floor);
      boolean isAboutZero =
          Double.isFinite(magnitude) && Math.abs(analytic) <= zero && Math.abs(numeric) <= zero;
      if (isAboutZero) {
        relative = 0;
      } else if (!Double.isFinite(relative) || !Double.isFinite(magnitude)) {
        relative = Double.POSITIVE_INFINITY;
      }
      String place = gradient.place(i, j);
      return new Compared(
          new Entry(place, i, j, analytic, numeric, absolute, relative, h), isAboutZero);
    }

    private double step(int i, int j) {
      if (options.step != Options.DEFAULT) {
        return options.step;
      }
      double spread = gradient.spread()[j];
      double unit = unit(i, j);
      double h = spread * (options.order == 4 ? Math.pow(unit, 0.2) : Math.cbrt(unit));
      // no less than what moves x; a power of two, which x + h and x - h do not round
      return Math.max(Math.scalb(1.0, Math.getExponent(h)), 2 * Math.ulp(gradient.x()[i][j]));
    }

    /** What f may lose of a change, relative to the spread of the column. */
    private double unit(int i, int j) {
      return gradient.isExact()
          ? UNIT
          : Math.max(UNIT, Math.ulp(gradient.x()[i][j]) / gradient.spread()[j]);
    }

    /** The central difference of the loss over the distance of the two points. */
    private Quotient quotient(int i, int j, double h) {
      double above = gradient.x()[i][j] + h;
      double below = gradient.x()[i][j] - h;
      double[][] outAbove = gradient.at(i, j, above);
      double[][] outBelow = gradient.at(i, j, below);
      double difference = 0;
      double size = 0;
      for (int r = 0; r < out.length; r++) {
        for (int c = 0; c < out[r].length; c++) {
          double change = outAbove[r][c] - outBelow[r][c];
          double term = gradient.dout()[r][c] * out[r][c];
          difference += gradient.dout()[r][c] * change;
          size = change == 0 ? size : Math.hypot(size, term); // squares would overflow
        }
      }
      return new Quotient(difference / (above - below), size);
    }
  }

  /**
   * A difference quotient.
   *
   * @param value of it
   * @param size of the terms of the loss that moved, whose roundings are in it
   */
  private record Quotient(double value, double size) {}

  private record Compared(Entry entry, boolean isAboutZero) {}
}
