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
 * A check for unit tests: compares a gradient that some code computed (analytic) with slopes of the
 * loss (numeric). The function may be any function of a matrix or a vector, even a whole network.
 *
 * <p><b>How to call.</b> In the first form, f is the loss itself. In the second form, f returns a
 * matrix or a vector, and dout is the derivative of the loss with respect to this output. The
 * gradient in question is then that of {@code Σ dout * f(x)}. The second form is sharper, because
 * the check sees the outputs one by one.
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
 * <p>f is called 2 to 60 times for each entry, and must return the same output for the same
 * argument every time. To keep the running averages of a layer as they are, pass {@code
 * layer.copy()::forward}. Each call of f gets a new copy of x, and the output of f is copied: f may
 * write into its argument, and may return the same array every time. The check does not modify the
 * caller's arrays. What f throws, the check throws.
 *
 * <p><b>What passes.</b> An entry agrees if
 *
 * <pre>{@code
 * |analytic - numeric| <= tolerance * max(|analytic|, |numeric|) + what noise makes of numeric
 * }</pre>
 *
 * <ul>
 *   <li><b>Kink.</b> At a kink the slopes on the two sides differ. An entry agrees if it lies
 *       between them: for ReLU at 0, between 0 and 1. In the form with a dout this holds for each
 *       output by itself.
 *   <li><b>Zero.</b> If no step of up to about 2 % of the spread can tell an entry from rounding,
 *       the entry agrees, and {@link GradientReport#zeros} lists it. The spread is the standard
 *       deviation of the column. For a vector it is the size of the value, or 1 if that is larger.
 *   <li><b>Rough.</b> Noise may leave few digits of a numeric slope. An entry then agrees if it
 *       matches these digits. The report counts such entries, and {@link
 *       GradientReport.Entry#allowed} says how far off an entry may be.
 *   <li><b>Vacuous.</b> A check is vacuous, and does not pass, if zeros would agree in every entry.
 *       Examples are the gradient of a bias right before a batch norm, and the dx of a batch norm
 *       if dout is constant in each column.
 *   <li><b>NaN and infinity.</b> An entry does not agree if it is not finite, or if f is not finite
 *       around x.
 *   <li><b>Not repeatable.</b> The check fails if the outputs of f at x differ, even in one bit,
 *       between the first call and the last.
 * </ul>
 *
 * <p><b>What to do if it does not pass.</b> The report names the entries that fail, with the slope
 * of f at each. The first entry is the worst: its difference is the largest multiple of what is
 * allowed. If the check is vacuous, choose another dout or x; where the gradient is always 0,
 * assert {@link GradientReport#agrees} instead. If entries are rough, compute in double, and
 * subtract large common terms, such as the mean of the logits, before you take differences.
 *
 * <p><b>How it works.</b> The first try is a central difference. Its step is in proportion to the
 * spread of the column. With a fixed step, or one in proportion to |x|, the slope would be off by
 * up to 100 % on features with a small spread or a large mean. If the entry does not agree, the
 * check measures the noise of f, and compares the slopes of longer and shorter steps, down to the
 * size of x.
 *
 * <p><b>Limits.</b> The check does not see:
 *
 * <ul>
 *   <li>A wave or zigzag that fits between all steps, such as {@code sin(2 * π * x)} if the steps
 *       are whole numbers.
 *   <li>The difference between two kinks that are closer to each other than 1e-9 of the spread.
 *   <li>An entry below a millionth of the largest one, if rounding hides it. Such an entry counts
 *       as zero.
 *   <li>A slope where f jumps at x itself, such as a threshold that is x. Such an entry counts as
 *       rough, or if the jump hides all of the slope, as zero.
 * </ul>
 *
 * <p><b>Threads.</b> A check is immutable, and threads may share it. Only the caller's thread calls
 * f.
 *
 * @since 1.0
 */
public final class GradientCheck {
  /** The derivative of a loss with respect to itself. */
  private static final double[][] ONE = {{1}};

  private final double tolerance;
  private final double toleranceOfLayer;
  private final Progress progress;

  /** Makes a check with a tolerance of 1e-6, and of 1e-7 in {@link #checkLayer}. */
  public GradientCheck() {
    this(1e-6, 1e-7, (done, total) -> {});
  }

  private GradientCheck(double tolerance, double toleranceOfLayer, Progress progress) {
    this.tolerance = tolerance;
    this.toleranceOfLayer = toleranceOfLayer;
    this.progress = progress;
  }

  /**
   * Returns a check with another tolerance, which {@link #checkLayer} uses too.
   *
   * @param tolerance the relative error that passes, on top of what rounding explains; in (0, 1)
   * @return a new check
   * @throws IllegalArgumentException if {@code tolerance} is not in (0, 1)
   */
  public GradientCheck tolerance(double tolerance) {
    return new GradientCheck(Check.tolerance(tolerance), tolerance, progress);
  }

  /**
   * Returns a check that reports its progress.
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
   * @param f takes a matrix of the shape of x; is called many times, and must depend on this matrix
   *     alone, as {@code layer.copy()::forward} does
   * @param x the point, shape (N, D), finite; not modified
   * @param dout the derivative of the loss with respect to {@code f(x)}, of the shape of {@code
   *     f(x)}, finite; not modified
   * @param analytic the gradient in question, the derivative of the loss with respect to x, shape
   *     (N, D); not modified
   * @return what was found
   * @throws NullPointerException if an argument, a row of it, or an output of f is null
   * @throws IllegalArgumentException if an argument or an output of f does not have the shape
   *     above, if a value of x is not in [-2^1020, 2^1020], or if a value of dout is not finite
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
   * @param f takes a matrix of the shape of x; is called many times, and must depend on this matrix
   *     alone, as {@code layer.copy()::forward} does
   * @param x the point, shape (N, D), finite; not modified
   * @param dout the derivative of the loss with respect to {@code f(x)}, of the length of {@code
   *     f(x)}, finite; not modified
   * @param analytic the gradient in question, the derivative of the loss with respect to x, shape
   *     (N, D); not modified
   * @return what was found
   * @throws NullPointerException if an argument, a row of it, or an output of f is null
   * @throws IllegalArgumentException if an argument or an output of f does not have the shape
   *     above, if a value of x is not in [-2^1020, 2^1020], or if a value of dout is not finite
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
   * @param f takes a vector of the length of p; is called many times, and must depend on this
   *     vector alone
   * @param p the point, shape (D), finite; not modified
   * @param dout the derivative of the loss with respect to {@code f(p)}, of the shape of {@code
   *     f(p)}, finite; not modified
   * @param analytic the gradient in question, the derivative of the loss with respect to p, shape
   *     (D); not modified
   * @return what was found
   * @throws NullPointerException if an argument, a row of it, or an output of f is null
   * @throws IllegalArgumentException if an argument or an output of f does not have the shape
   *     above, if a value of p is not in [-2^1020, 2^1020], or if a value of dout is not finite
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
   * @param f takes a vector of the length of p; is called many times, and must depend on this
   *     vector alone
   * @param p the point, shape (D), finite; not modified
   * @param dout the derivative of the loss with respect to {@code f(p)}, of the length of {@code
   *     f(p)}, finite; not modified
   * @param analytic the gradient in question, the derivative of the loss with respect to p, shape
   *     (D); not modified
   * @return what was found
   * @throws NullPointerException if an argument, a row of it, or an output of f is null
   * @throws IllegalArgumentException if an argument or an output of f does not have the shape
   *     above, if a value of p is not in [-2^1020, 2^1020], or if a value of dout is not finite
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
   * @param loss takes a matrix of the shape of x; is called many times, and must depend on this
   *     matrix alone
   * @param x the point, shape (N, D), finite; not modified
   * @param analytic the derivative in question, shape (N, D); not modified
   * @return what was found
   * @throws NullPointerException if an argument or a row of it is null
   * @throws IllegalArgumentException if an argument does not have the shape above, or if a value of
   *     x is not in [-2^1020, 2^1020]
   */
  public GradientReport check(
      ToDoubleFunction<double[][]> loss, double[][] x, double[][] analytic) {
    Check.nonNull(loss, "loss");
    return check(at -> new double[][] {{loss.applyAsDouble(at)}}, x, ONE, analytic);
  }

  /**
   * Checks the derivative of a loss with respect to a vector.
   *
   * @param loss takes a vector of the length of p; is called many times, and must depend on this
   *     vector alone
   * @param p the point, shape (D), finite; not modified
   * @param analytic the derivative in question, shape (D); not modified
   * @return what was found
   * @throws NullPointerException if an argument is null
   * @throws IllegalArgumentException if an argument does not have the shape above, or if a value of
   *     p is not in [-2^1020, 2^1020]
   */
  public GradientReport check(ToDoubleFunction<double[]> loss, double[] p, double[] analytic) {
    Check.nonNull(loss, "loss");
    return check(at -> new double[][] {{loss.applyAsDouble(at)}}, p, ONE, analytic);
  }

  /**
   * Checks dx, dgamma and dbeta of a layer, in training and in inference, with a random dout. The
   * tolerance is 1e-7 unless {@link #tolerance} sets another. The check works on copies: it does
   * not change the layer, not even its graph.
   *
   * <p>dx and dgamma do not depend on beta, and are checked with a beta of 0: any other beta only
   * takes digits from out. A test tries 260 layers, fresh and trained, with 3 to 40 rows, 1 to 3
   * columns, spreads of 1e-5 to 1e6, means of up to 1e5 spreads and an epsilon of 1e-12, 1e-5 or
   * 1e-3. No correct gradient is contradicted, and an error of 1e-6 in a single entry of dx is
   * found every time, but for the inference of fresh layers: there a large mean takes digits from
   * out, and an error of 1e-5 is found.
   *
   * @param layer not modified
   * @param x a mini-batch for it, shape (N, D), N &gt;= 2, preferably 3 or more: with 2 rows the
   *     true dx of training is nearly zero for every dout, and may be lost in rounding; not
   *     modified
   * @param seed of dout; a {@code Random} or {@code SplittableRandom} with this seed draws other
   *     numbers
   * @return what was found, for all six gradients together; vacuous if one of the six is
   * @throws NullPointerException if an argument or a row of x is null
   * @throws IllegalArgumentException if x has fewer than 2 rows or a row that does not have D
   *     values, or has a column whose variance overflows; or if x, gamma or beta holds a value that
   *     is not finite, or is larger than 2^1020 in magnitude; or if a node of forward or
   *     inferBackward overflows
   */
  public GradientReport checkLayer(BatchNormLayer layer, double[][] x, long seed) {
    Check.nonNull(layer, "layer");
    double[] gamma = layer.gamma().clone();
    double[] zeros = new double[gamma.length];
    BatchNormLayer trained = layer.copy();
    Check.inReach("gamma", gamma);
    Check.inReach("beta", layer.beta());
    trained.forward(x);
    // not the numbers that the caller may have made x of
    SplittableRandom random = new SplittableRandom(~seed);
    double[][] dout = new double[x.length][];
    Arrays.setAll(dout, i -> random.doubles(gamma.length, -1, 1).toArray());
    List<Gradient> all = new ArrayList<>();
    for (boolean training : new boolean[] {true, false}) {
      String mode = training ? "training " : "inference ";
      BatchNormGradients d = training ? trained.backward(dout) : layer.inferBackward(x, dout);
      // with a beta of 0: dx and dgamma do not depend on beta, which would take digits from out
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
   * A callback that is told how far a check has come.
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
