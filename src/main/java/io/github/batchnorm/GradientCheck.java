package io.github.batchnorm;

import io.github.batchnorm.GradientReport.Entry;
import io.github.batchnorm.GradientReport.Findings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * Compares a gradient that some code computed (analytic) with slopes of the loss (numeric), for any
 * function of a matrix or a vector, a whole network too. Made for unit tests.
 *
 * <p><b>How to call.</b> f is the loss itself. Or f has an output of its own, a matrix or a vector,
 * and dout is the derivative of the loss with respect to that output; the gradient in question is
 * then that of {@code Σ dout * f(x)}. The second form is sharper, because the check sees the
 * outputs one by one.
 *
 * <pre>{@code
 * double[][] x = {{4, 3}, {4, 0}, {1, -6}, {2, 2}};
 * double[][] dout = {{1, 2}, {4, -1}, {1, 5}, {0, 3}};         // random in a test of yours
 * BatchNormLayer layer = new BatchNormLayer(2);
 * layer.forward(x);
 * double[][] dx = layer.backward(dout).dx();                   // or a gradient of your own
 * new GradientCheck().check(layer.copy()::forward, x, dout, dx).assertPassed();
 * }</pre>
 *
 * <p>f is called twice per entry or more, at most 60 times, and must not change anything. A layer
 * that is to keep its running averages is therefore checked as {@code layer.copy()::forward}. f
 * gets a new copy of x in every call, and its output is copied: it may write into its argument and
 * return the same array every time. The caller's arrays are never written, and what f throws goes
 * through to the caller.
 *
 * <p><b>What passes.</b> An entry agrees if
 *
 * <pre>{@code
 * |analytic - numeric| <= tolerance * max(|analytic|, |numeric|) + what noise makes of numeric
 * }</pre>
 *
 * <ul>
 *   <li><b>Kink.</b> At a kink the slopes to both sides differ. An entry agrees if it lies between
 *       them: for ReLU at 0 from 0 to 1. With a dout this holds output by output.
 *   <li><b>Zero.</b> An entry that no step up to 2 % of the spread can tell from rounding agrees,
 *       and is counted by {@link GradientReport#zeros}. The spread is the standard deviation of the
 *       column; of a vector, the size of the value, at least 1.
 *   <li><b>Rough.</b> An entry of which noise leaves few digits agrees if it is as close as those
 *       tell. The report counts such entries, and {@link GradientReport.Entry#allowed} says how
 *       close.
 *   <li><b>Vacuous</b> is a check where zeros would agree in every entry: it does not pass. The
 *       gradient of a bias ahead of a batch norm is of that kind, and so is dx behind one if dout
 *       is constant down the columns.
 *   <li><b>NaN and infinity</b> agree with nothing, in analytic or around x.
 *   <li><b>Not repeatable</b> is an f whose outputs at x differ in a bit between the first call and
 *       the last. The check then fails.
 * </ul>
 *
 * <p><b>If it does not pass,</b> the report names the entries, the worst first, and what the slope
 * is there. If the check is vacuous, choose another dout or x, or assert {@link
 * GradientReport#agrees} where a gradient is always 0. If f is rough, compute in double, and
 * subtract what is large before the differences, such as the mean of the logits.
 *
 * <p><b>How it works.</b> The first try is a central difference. Its step follows the spread of the
 * column: a fixed step, or one that follows |x|, is off by up to 100 % on features with a small
 * spread or a large mean. If the entry does not agree, the check measures the noise of f, and
 * compares longer and shorter steps, down to the size of x.
 *
 * <p><b>Limits.</b> Three things are not seen:
 *
 * <ul>
 *   <li>A wave or zigzag that fits between all steps, such as {@code sin(2 * π * x)} if the steps
 *       are whole numbers.
 *   <li>Which of two kinks is which, if they are closer to each other than 1e-9 of the spread.
 *   <li>An entry below a millionth of the largest one, if rounding hides it: it counts as zero.
 * </ul>
 *
 * <p><b>Threads:</b> a check is immutable, and may be shared; f is called by the caller's thread
 * only.
 *
 * @since 1.0
 */
public final class GradientCheck {
  /** The derivative of a loss with respect to itself. */
  private static final double[][] ONE = {{1}};

  private final double tolerance;
  private final double toleranceOfLayer;
  private final Progress progress;

  /** Makes a check of all entries with a tolerance of 1e-6, and 1e-7 in {@link #checkLayer}. */
  public GradientCheck() {
    this(1e-6, 1e-7, (done, total) -> {});
  }

  private GradientCheck(double tolerance, double toleranceOfLayer, Progress progress) {
    this.tolerance = tolerance;
    this.toleranceOfLayer = toleranceOfLayer;
    this.progress = progress;
  }

  /**
   * A check with another tolerance, in {@link #checkLayer} too.
   *
   * @param tolerance the relative error that passes, on top of what rounding explains; in (0, 1)
   * @return a new check
   * @throws IllegalArgumentException if it is not
   */
  public GradientCheck tolerance(double tolerance) {
    return new GradientCheck(Check.tolerance(tolerance), tolerance, progress);
  }

  /**
   * A check that tells how far it is.
   *
   * @param progress called after each entry
   * @return a new check
   * @throws NullPointerException if {@code progress} is null
   */
  public GradientCheck progress(Progress progress) {
    Check.nonNull(progress, "progress");
    return new GradientCheck(tolerance, toleranceOfLayer, progress);
  }

  /**
   * Checks the derivative with respect to a matrix of a function whose output is a matrix.
   *
   * @param f takes a matrix of the shape of x; is called many times, and must not change anything:
   *     {@code layer.copy()::forward}
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
  public GradientReport check(
      Function<double[][], double[][]> f, double[][] x, double[][] dout, double[][] analytic) {
    Check.nonNull(f, "f");
    Check.finiteMatrix("x", x);
    Check.finiteMatrix("dout", dout);
    Check.shape("analytic", analytic, x.length, x[0].length, "x");
    return run(tolerance, List.of(new Gradient("analytic", false, f, x, dout, analytic)));
  }

  /**
   * Checks the derivative with respect to a matrix of a function whose output is a vector.
   *
   * @param f takes a matrix of the shape of x; is called many times, and must not change anything:
   *     {@code layer.copy()::forward}
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
  public GradientReport check(
      Function<double[][], double[]> f, double[][] x, double[] dout, double[][] analytic) {
    Check.nonNull(f, "f");
    Check.vector("dout", dout);
    return check(at -> new double[][] {f.apply(at)}, x, new double[][] {dout}, analytic);
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
  public GradientReport check(
      Function<double[], double[][]> f, double[] p, double[][] dout, double[] analytic) {
    Check.nonNull(f, "f");
    Check.vector("p", p);
    Check.finiteMatrix("dout", dout);
    Check.length("analytic", analytic, p.length);
    return run(tolerance, List.of(Gradient.byVector("analytic", f, p, dout, analytic)));
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
  public GradientReport check(
      Function<double[], double[]> f, double[] p, double[] dout, double[] analytic) {
    Check.nonNull(f, "f");
    Check.vector("dout", dout);
    return check(at -> new double[][] {f.apply(at)}, p, new double[][] {dout}, analytic);
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
  public GradientReport check(
      ToDoubleFunction<double[][]> loss, double[][] x, double[][] analytic) {
    Check.nonNull(loss, "loss");
    return check(at -> new double[][] {{loss.applyAsDouble(at)}}, x, ONE, analytic);
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
  public GradientReport check(ToDoubleFunction<double[]> loss, double[] p, double[] analytic) {
    Check.nonNull(loss, "loss");
    return check(at -> new double[][] {{loss.applyAsDouble(at)}}, p, ONE, analytic);
  }

  /**
   * Checks dx, dgamma and dbeta of a layer, in training and in inference, with a random dout and,
   * unless {@link #tolerance} says otherwise, a tolerance of 1e-7. Works on copies: the layer is
   * not changed, not even its graph.
   *
   * <p>dx and dgamma are checked with a beta of 0, on which they do not depend: beta only takes
   * digits from out. Tried 260 times, with spreads of a column from 1e-5 to 1e6, means up to 1e5
   * spreads, an epsilon of 1e-12, 1e-5 or 1e-3, random gamma, 3 to 40 rows and 1 to 3 columns, on
   * fresh and on trained layers: no correct dx is contradicted. If all of dx is off by 3e-7, this
   * is found in training every time; if only one entry is, in 171 of 172. In inference both are
   * found too, except on a fresh layer at a mean of 1e5 spreads, where out loses digits: there a
   * mistake of 1e-5 is found.
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
  public GradientReport checkLayer(BatchNormLayer layer, double[][] x, long seed) {
    Check.nonNull(layer, "layer");
    double[] gamma = layer.gamma().clone();
    double[] zeros = new double[gamma.length];
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
      // with a beta of 0, which both do not depend on: it would take digits from out
      Function<double[][], double[][]> byX = at -> out(layer, gamma, zeros, at, training);
      all.add(new Gradient(mode + "dx", false, byX, x, dout, d.dx()));
      Function<double[], double[][]> byGamma = g -> out(layer, g, zeros, x, training);
      all.add(Gradient.byVector(mode + "dgamma", byGamma, gamma, dout, d.dgamma()));
      Function<double[], double[][]> byBeta = b -> out(layer, gamma, b, x, training);
      all.add(Gradient.byVector(mode + "dbeta", byBeta, layer.beta(), dout, d.dbeta()));
    }
    return run(toleranceOfLayer, all);
  }

  private static double[][] out(
      BatchNormLayer layer, double[] gamma, double[] beta, double[][] x, boolean training) {
    BatchNormLayer copy = layer.copy();
    System.arraycopy(gamma, 0, copy.gamma(), 0, gamma.length);
    System.arraycopy(beta, 0, copy.beta(), 0, beta.length);
    return training ? copy.forward(x) : copy.infer(x);
  }

  private GradientReport run(double relative, List<Gradient> gradients) {
    long total = gradients.stream().mapToLong(Gradient::size).sum();
    long done = 0;
    List<Findings> all = new ArrayList<>();
    for (Gradient gradient : gradients) {
      Differences differences = new Differences(gradient, relative);
      List<Entry> found = new ArrayList<>();
      for (int i = 0; i < gradient.x().length; i++) {
        for (int j = 0; j < gradient.x()[i].length; j++) {
          found.add(differences.compare(i, j));
          progress.checked(++done, total);
        }
      }
      all.add(differences.findings(found));
    }
    return new GradientReport(relative, all);
  }

  /**
   * Is told how far a check is.
   *
   * @since 1.0
   */
  public interface Progress {
    /**
     * Called after each entry.
     *
     * @param done the number of entries checked so far
     * @param total the number of entries to check
     */
    void checked(long done, long total);
  }
}
