package io.github.batchnorm;

import java.util.Arrays;

/**
 * A batch normalization layer: normalizes the columns (features) of a matrix, and computes the
 * gradients.
 *
 * <pre>{@code
 * training    out = γ * x̂ + β,   x̂ = (x - μ) / √(σ² + ε),   μ, σ² of the mini-batch
 * inference   out = γ * x̂ + β,   x̂ = (x - μ) / √(σ² + ε),   μ, σ² running averages over training
 * }</pre>
 *
 * <p>x and out have shape (N, D): N rows (the mini-batch) by D columns (the features). γ ({@link
 * #gamma}), β ({@link #beta}), μ and σ² have shape (D). In training σ² is the population variance
 * (divides by N). The running variance averages sample variances (divide by N - 1), as in the paper
 * and in PyTorch; see {@link Builder#populationRunningVar} for the other convention.
 *
 * <pre>{@code
 * BatchNormLayer layer = BatchNormLayer.builder(2).epsilon(1e-3).build();
 * double[][] x = {{4, 3}, {4, 0}, {1, -6}};
 * double[][] out = layer.forward(x);                           // training
 * double[][] dout = {{1, 2}, {4, -1}, {1, 5}};                 // from the layer above
 * double[][] dx = layer.backward(dout).dx();                   // for the layer below
 * double[][] prediction = layer.infer(x);                      // everything else
 * }</pre>
 *
 * <p>{@link #forward} is for training. It keeps the computational graph, for {@link #backward} and
 * {@link #graph}, and updates the running averages. {@link #infer} is for everything else, and
 * changes nothing. There is no training mode to switch on or off.
 *
 * <ul>
 *   <li>In training, a feature that is constant over the batch gives x̂ = 0 and out = β, exactly,
 *       however large the constant is.
 *   <li>γ may be 0 or negative: no formula divides by γ.
 *   <li>NaN and infinite values are refused. So are finite values of x so far apart that the
 *       variance of a column overflows, and finite values of dout so large that a sum over the
 *       batch overflows. The values of out and dx are not checked. They may overflow where a node
 *       on the way to them comes near 1e308: γ * x̂, dout * γ or dout * γ / √(σ² + ε), and in
 *       inference also x - μ.
 *   <li>The same input always gives the same bits, on one thread or many.
 * </ul>
 *
 * <p><b>Digits.</b> In practice the results differ from exact arithmetic by 1e-16 to 1e-15 of the
 * largest value in the column. A column made for the purpose can push every rounding the same way.
 * Even then, for every N that an array can have, a result is off by at most {@code (c + log2 N) *
 * 2^-53} times the scale in this list. Each c comes from counting the roundings on the longest way
 * through the code:
 *
 * <ul>
 *   <li>out, c = 95: the largest |out|.
 *   <li>dx, c = 125: {@code |γ| / √(σ² + ε)} times the largest {@code |dout| + (Σ|dout| + |dγ| +
 *       |x̂| * s) / N}, where s is the scale of dγ.
 *   <li>dβ, c = 15: {@code Σ|dout|}.
 *   <li>dγ, c = 60: {@code Σ|dout * x̂| + |dβ|}.
 *   <li>σ², c = 21: σ² itself.
 *   <li>μ, c = 56: σ. The rounding of μ to the nearest double comes on top.
 *   <li>dβ of {@link #inferBackward}, c = 15: {@code Σ|dout|}.
 *   <li>dγ of {@link #inferBackward}, c = 33: {@code Σ|dout * x̂|}.
 * </ul>
 *
 * <p>The bounds hold as long as each product and quotient on the way is 1e-290 or larger in
 * magnitude, or exactly 0 because a factor is 0. A large mean costs no digits in training, because
 * the layer also subtracts the rounding error of the mean. Inference takes the running averages as
 * they are; {@link #infer(double[][])} says how exact they are.
 *
 * <p><b>A call that throws changes nothing in the layer:</b> gamma, beta, the running averages and
 * {@link #batchesTracked} stay as they were. Only the graph is lost when a {@code forward} throws.
 * Without a graph, {@code backward}, {@code backwardGraph} and {@code graph} throw an {@link
 * IllegalStateException}.
 *
 * <p><b>Arrays.</b>
 *
 * <ul>
 *   <li>The layer does not keep an array that it is given, and modifies it only if it is an output.
 *   <li>An output is either the input itself or has rows of its own. A shallow copy of the input
 *       has the same rows in the same order, and counts as the input.
 *   <li>An output must not hold a row twice, or a row of the input at another index than in the
 *       input. The layer does not check this, because the check would take longer than the
 *       arithmetic. Such an output ends up with wrong numbers: those of another row, or results of
 *       numbers that were overwritten before they were read.
 *   <li>An output is neither {@link #gamma} nor {@link #beta}.
 *   <li>If a call throws, an output that is the input is as it was before. Any other output may
 *       have been written in part.
 *   <li>The layer never modifies an array that it has returned, and never reads it again. Only
 *       {@link #gamma} and {@link #beta} are live.
 * </ul>
 *
 * <p><b>Memory.</b> A layer keeps one matrix of the shape of the largest mini-batch so far.
 *
 * <p><b>Threads.</b> A layer is not synchronized. Any number of threads may call {@link #infer} and
 * {@link #inferBackward} at once while no thread calls {@code forward} or {@code restore}, or
 * changes gamma or beta. All other calls need one thread at a time. Threads that train get a {@link
 * #copy} each.
 *
 * <p>References: F. Kratzert, <a
 * href="https://kratzert.github.io/2016/02/12/understanding-the-gradient-flow-through-the-batch-normalization-layer.html">Understanding
 * the backward pass through Batch Normalization Layer</a>, 2016, steps 1 to 9 and 9 to 0; S. Ioffe,
 * C. Szegedy, <a href="https://arxiv.org/abs/1502.03167">Batch Normalization: Accelerating Deep
 * Network Training by Reducing Internal Covariate Shift</a>, 2015, Algorithms 1 and 2.
 *
 * @since 1.0
 */
public final class BatchNormLayer {
  private final int features;
  private final double[] gamma; // (D)
  private final double[] beta; // (D)
  private final boolean parallel;
  private final Graph graph;
  private final RunningStatistics running;
  private final Inference inference;
  private boolean graphReady;

  /**
   * Makes a layer with gamma = 1, beta = 0, epsilon = 1e-5 and smoothing factor 0.1.
   *
   * @param features D, the number of columns
   * @throws IllegalArgumentException if {@code features < 1}
   */
  public BatchNormLayer(int features) {
    this(builder(features).state(), true);
  }

  private BatchNormLayer(BatchNormState state, boolean parallel) {
    features = state.features();
    gamma = state.gamma();
    beta = state.beta();
    this.parallel = parallel;
    graph = new Graph(features, threads());
    running = new RunningStatistics(state);
    inference = new Inference(running, gamma, beta, threads());
  }

  /**
   * Starts building a layer: the settings are those of the constructor unless the builder changes
   * them.
   *
   * @param features D, the number of columns
   * @return a new builder
   * @throws IllegalArgumentException if {@code features < 1}
   */
  public static Builder builder(int features) {
    return new Builder(features);
  }

  /**
   * Starts building a layer from the state of another: the settings are those of the state unless
   * the builder changes them.
   *
   * <pre>{@code
   * BatchNormState state = new BatchNormLayer(2).state();
   * BatchNormLayer layer = BatchNormLayer.builder(state).epsilon(1e-3).parallel(false).build();
   * }</pre>
   *
   * @param state the state to start from; not modified
   * @return a new builder, with everything as in the state and {@code parallel(true)}
   * @throws NullPointerException if {@code state} is null
   */
  public static Builder builder(BatchNormState state) {
    Check.nonNull(state, "state");
    return new Builder(state);
  }

  /**
   * Makes a layer that continues where another stopped: its results are, bit for bit, those of the
   * layer that the state was taken from.
   *
   * @param state the state to start from; not modified
   * @return a new layer, without a graph, with {@code parallel(true)}
   * @throws NullPointerException if {@code state} is null
   */
  public static BatchNormLayer of(BatchNormState state) {
    return builder(state).build();
  }

  /**
   * Makes a layer with the same state and the same {@code parallel}, for instance for another
   * thread.
   *
   * @return a new layer that shares nothing with this one; without a graph, so backward needs a
   *     forward first
   * @throws IllegalArgumentException if gamma or beta holds a value that is not finite
   */
  public BatchNormLayer copy() {
    return new BatchNormLayer(state(), parallel);
  }

  /**
   * Takes a snapshot of what this layer has learned and of its settings, for saving the layer or
   * for a later {@link #restore}.
   *
   * @return gamma, beta, the running averages and every setting but {@code parallel}; later calls
   *     do not change the snapshot
   * @throws IllegalArgumentException if gamma or beta holds a value that is not finite
   */
  public BatchNormState state() {
    return new BatchNormState(
        gamma,
        beta,
        running.mean,
        running.var,
        running.batches,
        running.epsilon,
        running.smoothingFactor,
        running.cumulative,
        running.populationVar);
  }

  /**
   * Gives this layer the values and the settings of a state, for instance to go back to the best
   * epoch or to follow another layer. {@link #gamma} and {@link #beta} stay the same arrays and get
   * other values. The running averages and the settings become those of the state, {@code parallel}
   * stays, and the graph is discarded.
   *
   * @param state of a layer with the same number of features; not modified
   * @throws NullPointerException if {@code state} is null
   * @throws IllegalArgumentException if the state has another number of features
   */
  public void restore(BatchNormState state) {
    Check.nonNull(state, "state");
    Check.features("state", state.features(), features);
    graphReady = false; // from here on nothing allocates, so nothing fails
    state.copyParameters(gamma, beta);
    running.set(state);
  }

  /**
   * Training: normalizes by the statistics of the mini-batch (Kratzert's steps 1 to 9), keeps the
   * graph and updates the running averages.
   *
   * @param x the mini-batch, shape (N, D) with N >= 2; not modified
   * @return out, shape (N, D): a new array
   * @throws NullPointerException if {@code x} or a row of it is null
   * @throws IllegalArgumentException if {@code x} has fewer than 2 rows; if a row does not have D
   *     values; if a value of x, gamma or beta is not finite; if the mean or the variance of a
   *     column overflows; or if gamma * ivar overflows
   */
  public double[][] forward(double[][] x) {
    graphReady = false;
    Check.matrix("x", x, 2, features);
    return train(x, new double[x.length][]);
  }

  /**
   * The same as {@link #forward(double[][])}, into an array of the caller.
   *
   * @param x the mini-batch, shape (N, D) with N >= 2; not modified unless it is {@code out}
   * @param out written, shape (N, D); may be {@code x} (see the class comment on arrays)
   * @return {@code out}
   * @throws NullPointerException if {@code x}, {@code out} or a row of them is null
   * @throws IllegalArgumentException if {@code x} has fewer than 2 rows; if a row does not have D
   *     values; if {@code out} does not have the shape of {@code x}; if a value of x, gamma or beta
   *     is not finite; if the mean or the variance of a column overflows; or if gamma * ivar
   *     overflows
   */
  public double[][] forward(double[][] x, double[][] out) {
    graphReady = false;
    Check.matrix("x", x, 2, features);
    Check.shape("out", out, x.length, features, "x");
    return train(x, out);
  }

  private double[][] train(double[][] x, double[][] out) {
    if (!graph.forward(x, gamma, beta, running.epsilon, out)) {
      checkParameters();
      Check.finite("x", x);
      Check.noOverflow("mu", graph.mu);
      Check.noOverflow("var", graph.var);
      throw Check.overflow("gamma * ivar", Rows.product(gamma, graph.ivar));
    }
    running.add(graph.mu, graph.var, x.length);
    graphReady = true;
    return out;
  }

  /**
   * Walks the graph of the last {@link #forward} in reverse (Kratzert's steps 9 to 0), with the
   * gamma of that forward. This method may be called several times: the same {@code dout} gives the
   * same result.
   *
   * <pre>{@code
   * dβ = Σ dout      dγ = Σ dout * x̂
   * dx = γ / √(σ² + ε) * (dout - Σ dout / N - x̂ * Σ dout * x̂ / N)    (by way of the nodes of the graph)
   * }</pre>
   *
   * @param dout the derivative of the loss with respect to out, shape (N, D) of that forward; not
   *     modified
   * @return dx (N, D), dgamma (D), dbeta (D): new arrays. dgamma and dbeta are sums over the batch,
   *     not averages, and not added to those of earlier calls
   * @throws IllegalStateException if there was no forward since the layer was made or restored, or
   *     the last one threw
   * @throws NullPointerException if {@code dout} or a row of it is null
   * @throws IllegalArgumentException if {@code dout} does not have that shape, holds a value that
   *     is not finite, or is so large that dgamma, dbeta or another sum over the batch overflows
   */
  public BatchNormGradients backward(double[][] dout) {
    checkUpstream("backward", dout);
    return walkBack(dout, new double[dout.length][]);
  }

  /**
   * The same as {@link #backward(double[][])}, with dx in an array of the caller.
   *
   * @param dout the derivative of the loss with respect to out, shape (N, D) of that forward; not
   *     modified unless it is {@code dx}
   * @param dx written, shape (N, D); may be {@code dout} (see the class comment on arrays)
   * @return {@code dx}, and new arrays for dgamma (D) and dbeta (D)
   * @throws IllegalStateException if there was no forward since the layer was made or restored, or
   *     the last one threw
   * @throws NullPointerException if {@code dout}, {@code dx} or a row of them is null
   * @throws IllegalArgumentException if {@code dout} does not have that shape, holds a value that
   *     is not finite, or is so large that dgamma, dbeta or another sum over the batch overflows;
   *     or if {@code dx} does not have the shape of {@code dout}
   */
  public BatchNormGradients backward(double[][] dout, double[][] dx) {
    checkUpstream("backward", dout);
    Check.shape("dx", dx, dout.length, features, "dout");
    return walkBack(dout, dx);
  }

  /**
   * The same as {@link #backward(double[][])}, but returns every node of the walk, for learning and
   * debugging.
   *
   * @param dout the derivative of the loss with respect to out, shape (N, D) of that forward; not
   *     modified
   * @return all nodes, in new arrays; dx, dgamma and dbeta are those of backward, bit for bit
   * @throws IllegalStateException if there was no forward since the layer was made or restored, or
   *     the last one threw
   * @throws NullPointerException if {@code dout} or a row of it is null
   * @throws IllegalArgumentException if {@code dout} does not have that shape, holds a value that
   *     is not finite, or is so large that dgamma, dbeta or another sum over the batch overflows
   */
  public BatchNormBackwardGraph backwardGraph(double[][] dout) {
    checkUpstream("backwardGraph", dout);
    return graph.backwardGraph(dout, walkBack(dout, new double[dout.length][]));
  }

  private void checkUpstream(String method, double[][] dout) {
    Check.graph(graphReady, method);
    Check.shape("dout", dout, graph.rows(), features, "in the last forward");
  }

  private BatchNormGradients walkBack(double[][] dout, double[][] dx) {
    BatchNormGradients gradients = gradients(dx);
    if (!graph.backward(dout, gradients)) {
      Check.finite("dout", dout);
      Check.noOverflow("dbeta", gradients.dbeta());
      Check.noOverflow("dgamma", gradients.dgamma());
      Check.noOverflow("divar", graph.divar);
      Check.noOverflow("dsqrtvar", graph.dsqrtvar);
      Check.noOverflow("dvar", graph.dvar); // and so dsq, which is dvar / N
      throw Check.overflow("dmu", graph.dmu); // and so dx2, which is dmu / N
    }
    return gradients;
  }

  /**
   * The result, made before the walk: once dx overwrites dout, nothing may fail for lack of memory.
   */
  private BatchNormGradients gradients(double[][] dx) {
    return new BatchNormGradients(dx, new double[features], new double[features]);
  }

  /**
   * Inference: normalizes by the running averages, and changes nothing in the layer. Before the
   * first forward the averages are mean 0 and variance 1, unless the builder or a state gave
   * others.
   *
   * <p>The running averages are doubles, and every batch rounds them. Compare the running mean with
   * the exact average of the batch means, which are doubles themselves. With a smoothing factor a,
   * the two differ by at most {@code 4 / a * 2^-53} times the largest |mean| of a batch. The
   * running variance differs from its exact average by at most {@code 4 / a * 2^-53} times the
   * largest variance of a batch. For the cumulative average of k batches, {@code 2 k + 2} takes the
   * place of {@code 4 / a}. The values that the averages start with count as a batch.
   *
   * <p>A running mean that is off by δ puts x̂ off by δ / σ. With a = 0.1 this is up to 4.5e-4 at a
   * mean of 1e9 and a spread of 1e-2, and up to 8e-11 at a mean of 1.7e9 (the seconds since 1970)
   * and a spread of 1e5.
   *
   * @param x shape (N, D) with N >= 1; not modified
   * @return out, shape (N, D): a new array
   * @throws NullPointerException if {@code x} or a row of it is null
   * @throws IllegalArgumentException if {@code x} has no row; if a row does not have D values; or
   *     if a value of x, gamma or beta is not finite
   */
  public double[][] infer(double[][] x) {
    Check.matrix("x", x, 1, features);
    return normalizeByRunning(x, new double[x.length][]);
  }

  /**
   * The same as {@link #infer(double[][])}, into an array of the caller.
   *
   * @param x shape (N, D) with N >= 1; not modified unless it is {@code out}
   * @param out written, shape (N, D); may be {@code x} (see the class comment on arrays)
   * @return {@code out}
   * @throws NullPointerException if {@code x}, {@code out} or a row of them is null
   * @throws IllegalArgumentException if {@code x} has no row; if a row does not have D values; if
   *     {@code out} does not have the shape of {@code x}; or if a value of x, gamma or beta is not
   *     finite
   */
  public double[][] infer(double[][] x, double[][] out) {
    Check.matrix("x", x, 1, features);
    Check.shape("out", out, x.length, features, "x");
    return normalizeByRunning(x, out);
  }

  /**
   * The same as {@link #infer(double[][])} for one row, with the same bits.
   *
   * @param row shape (D); not modified
   * @return out, shape (D): a new array
   * @throws NullPointerException if {@code row} is null
   * @throws IllegalArgumentException if {@code row} does not have D values; or if a value of row,
   *     gamma or beta is not finite
   */
  public double[] infer(double[] row) {
    Check.length("row", row, features);
    return normalizeByRunning(row, new double[features]);
  }

  /**
   * The same as {@link #infer(double[])}, into an array of the caller. Allocates nothing.
   *
   * @param row shape (D); not modified unless it is {@code out}
   * @param out written, shape (D); may be {@code row}. If the call throws, an {@code out} that is
   *     {@code row} is as it was, and any other may have been written
   * @return {@code out}
   * @throws NullPointerException if {@code row} or {@code out} is null
   * @throws IllegalArgumentException if {@code row} or {@code out} does not have D values; or if a
   *     value of row, gamma or beta is not finite
   */
  public double[] infer(double[] row, double[] out) {
    Check.length("row", row, features);
    Check.length("out", out, features);
    return normalizeByRunning(row, out);
  }

  private double[] normalizeByRunning(double[] row, double[] out) {
    if (!inference.forward(row, out)) {
      checkParameters();
      Check.finite("row", row);
    }
    return out; // if all are finite, out has overflowed, which is allowed
  }

  private double[][] normalizeByRunning(double[][] x, double[][] out) {
    if (!inference.forward(x, out)) {
      checkParameters();
      Check.finite("x", x);
    }
    return out; // if all are finite, out has overflowed, which is allowed
  }

  /**
   * Computes the gradients of {@link #infer}, in which the running averages are constants, for
   * fine-tuning with frozen statistics. Changes nothing in the layer.
   *
   * <pre>{@code
   * dβ = Σ dout      dγ = Σ dout * x̂      dx = dout * γ / √(σ² + ε)
   * }</pre>
   *
   * @param x the input of that {@code infer}, shape (N, D) with N >= 1; not modified
   * @param dout the derivative of the loss with respect to what {@code infer} returned, shape (N,
   *     D); not modified
   * @return dx (N, D), dgamma (D), dbeta (D): new arrays. dgamma and dbeta are sums over the batch,
   *     not averages
   * @throws NullPointerException if {@code x}, {@code dout} or a row of them is null
   * @throws IllegalArgumentException if {@code x} has no row; if a row does not have D values; if
   *     {@code dout} does not have the shape of {@code x}; if a value of x, dout, gamma or beta is
   *     not finite; or if dgamma, dbeta or γ / √(σ² + ε) overflows
   */
  public BatchNormGradients inferBackward(double[][] x, double[][] dout) {
    Check.matrix("x", x, 1, features);
    Check.shape("dout", dout, x.length, features, "x");
    checkParameters();
    Check.noOverflow("gamma * ivar", Rows.product(gamma, running.ivar));
    BatchNormGradients gradients = gradients(new double[x.length][]);
    if (!inference.backward(x, dout, gradients)) {
      Check.finite("x", x);
      Check.finite("dout", dout);
      Check.noOverflow("dgamma", gradients.dgamma());
      throw Check.overflow("dbeta", gradients.dbeta());
    }
    return gradients;
  }

  private int threads() {
    return parallel ? Team.CORES : 1;
  }

  /** An optimizer may have spoilt the live arrays since the last call. */
  private void checkParameters() {
    Check.finite("gamma", gamma);
    Check.finite("beta", beta);
  }

  /**
   * All seven intermediate values of the last {@link #forward}.
   *
   * @return a snapshot: copies that later calls do not change
   * @throws IllegalStateException if there was no forward since the layer was made or restored, or
   *     the last one threw
   */
  public BatchNormGraph graph() {
    Check.graph(graphReady, "graph");
    return graph.snapshot();
  }

  /**
   * The number of columns.
   *
   * @return D
   */
  public int features() {
    return features;
  }

  /**
   * The number that is added to the variance.
   *
   * @return ε
   */
  public double epsilon() {
    return running.epsilon;
  }

  /**
   * The weight a of a new mini-batch: {@code running = (1 - a) * running + a * batch}.
   *
   * @return a, in (0, 1]; without effect if {@link #cumulativeAverage}
   */
  public double smoothingFactor() {
    return running.smoothingFactor;
  }

  /**
   * Whether the running averages are plain averages over all mini-batches, in place of the {@link
   * #smoothingFactor}.
   *
   * @return true if so
   */
  public boolean cumulativeAverage() {
    return running.cumulative;
  }

  /**
   * Whether the running variance averages population variances (divide by N), not sample variances
   * (divide by N - 1).
   *
   * @return true for population variances
   */
  public boolean populationRunningVar() {
    return running.populationVar;
  }

  /**
   * Whether several threads share large matrices.
   *
   * @return true if so
   */
  public boolean parallel() {
    return parallel;
  }

  /**
   * The scale γ.
   *
   * @return shape (D), live: the caller may change the values, and an optimizer should. The next
   *     forward, infer or inferBackward uses them, and refuses any that is not finite. A backward
   *     uses the gamma of its forward
   */
  public double[] gamma() {
    return gamma;
  }

  /**
   * The shift β.
   *
   * @return shape (D), live: the caller may change the values, and an optimizer should. The next
   *     forward, infer or inferBackward uses them, and refuses any that is not finite.
   */
  public double[] beta() {
    return beta;
  }

  /**
   * The running average of the mean, which {@link #infer} uses.
   *
   * @return shape (D): a new array
   */
  public double[] runningMean() {
    return running.mean.clone();
  }

  /**
   * The running average of the variance, which {@link #infer} uses: of sample variances (divide by
   * N - 1), or of population variances if {@link #populationRunningVar}.
   *
   * @return shape (D): a new array
   */
  public double[] runningVar() {
    return running.var.clone();
  }

  /**
   * The number of mini-batches in the running averages.
   *
   * @return the number that the layer was made with or last restored to, plus the calls of forward
   *     that have succeeded since
   */
  public long batchesTracked() {
    return running.batches;
  }

  /** The number of features, the settings and {@link #batchesTracked}; not the arrays. */
  @Override
  public String toString() {
    return "BatchNormLayer[features="
        + features
        + ", epsilon="
        + running.epsilon
        + ", smoothingFactor="
        + running.smoothingFactor
        + ", cumulativeAverage="
        + running.cumulative
        + ", populationRunningVar="
        + running.populationVar
        + ", batchesTracked="
        + running.batches
        + ", parallel="
        + parallel
        + "]";
  }

  /**
   * Collects the settings of a {@link BatchNormLayer}, and makes it.
   *
   * <pre>{@code
   * BatchNormLayer layer =
   *     BatchNormLayer.builder(2).gamma(new double[] {2, -4}).smoothingFactor(0.01).build();
   * }</pre>
   *
   * <p>A builder is for one thread at a time.
   *
   * @since 1.0
   */
  public static final class Builder {
    private final int features;
    private double[] gamma;
    private double[] beta;
    private double[] runningMean;
    private double[] runningVar;
    private long batchesTracked;
    private long rows; // of the ColumnStatistics that runningVar comes from; 0 without them
    private double epsilon = 1e-5;
    private double smoothingFactor = 0.1;
    private boolean cumulativeAverage;
    private boolean populationRunningVar;
    private boolean parallel = true;

    private Builder(BatchNormState state) {
      features = state.features();
      gamma = state.gamma();
      beta = state.beta();
      runningMean = state.runningMean();
      runningVar = state.runningVar();
      batchesTracked = state.batchesTracked();
      epsilon = state.epsilon();
      smoothingFactor = state.smoothingFactor();
      cumulativeAverage = state.cumulativeAverage();
      populationRunningVar = state.populationRunningVar();
    }

    private Builder(int features) {
      Check.atLeast(1, "features", features);
      this.features = features;
      gamma = new double[features];
      Arrays.fill(gamma, 1);
      beta = new double[features];
      runningMean = new double[features];
      runningVar = gamma.clone();
    }

    /**
     * Sets the scale; 1 in every feature if not called.
     *
     * @param gamma shape (D), finite; copied
     * @return this builder
     * @throws NullPointerException if {@code gamma} is null
     * @throws IllegalArgumentException if {@code gamma} does not have D values or holds a value
     *     that is not finite
     */
    public Builder gamma(double[] gamma) {
      Check.vector("gamma", gamma, features);
      this.gamma = gamma.clone();
      return this;
    }

    /**
     * Sets the shift; 0 in every feature if not called.
     *
     * @param beta shape (D), finite; copied
     * @return this builder
     * @throws NullPointerException if {@code beta} is null
     * @throws IllegalArgumentException if {@code beta} does not have D values or holds a value that
     *     is not finite
     */
    public Builder beta(double[] beta) {
      Check.vector("beta", beta, features);
      this.beta = beta.clone();
      return this;
    }

    /**
     * Sets the number that is added to the variance, under the root; 1e-5 if not called.
     *
     * @param epsilon ε, in [{@link Double#MIN_NORMAL}, 1e290]: a smaller ε would have few digits,
     *     and a larger one could make {@code σ² + ε} overflow
     * @return this builder
     * @throws IllegalArgumentException if {@code epsilon} is outside this range
     */
    public Builder epsilon(double epsilon) {
      Check.epsilon(epsilon);
      this.epsilon = epsilon;
      return this;
    }

    /**
     * Sets the weight of a new mini-batch in the running averages; 0.1 if not called.
     *
     * <pre>{@code
     * running = (1 - a) * running + a * batch
     * }</pre>
     *
     * <p>PyTorch calls this a its momentum. Keras, Flax, DL4J and ONNX call 1 - a momentum (or
     * decay): their 0.9 is 0.1 here.
     *
     * @param a the smoothing factor, in (0, 1]
     * @return this builder
     * @throws IllegalArgumentException if {@code a} is not in (0, 1]
     */
    public Builder smoothingFactor(double a) {
      Check.smoothingFactor(a);
      smoothingFactor = a;
      cumulativeAverage = false;
      return this;
    }

    /**
     * Makes the running averages plain averages over all mini-batches so far (PyTorch's {@code
     * momentum=None}), in place of a smoothing factor. Of this call and {@link #smoothingFactor},
     * the later one counts.
     *
     * @return this builder
     */
    public Builder cumulativeAverage() {
      cumulativeAverage = true;
      return this;
    }

    /**
     * Sets the running statistics that the layer starts with, for instance those of a layer that
     * another library has trained; mean 0, variance 1 and 0 batches if not called.
     *
     * @param runningMean shape (D), finite; copied
     * @param runningVar shape (D), finite and {@code >= 0}; copied
     * @param batchesTracked how many mini-batches are in them, {@code >= 0}; only the cumulative
     *     average needs the number
     * @return this builder
     * @throws NullPointerException if {@code runningMean} or {@code runningVar} is null
     * @throws IllegalArgumentException if {@code runningMean} or {@code runningVar} does not have D
     *     values or holds a value that is not finite, if a value of {@code runningVar} is negative,
     *     or if {@code batchesTracked < 0}
     */
    public Builder runningStatistics(
        double[] runningMean, double[] runningVar, long batchesTracked) {
      Check.vector("runningMean", runningMean, features);
      Check.variances("runningVar", runningVar, features);
      Check.atLeast(0, "batchesTracked", batchesTracked);
      this.runningMean = runningMean.clone();
      this.runningVar = runningVar.clone();
      this.batchesTracked = batchesTracked;
      rows = 0;
      return this;
    }

    /**
     * Sets the running statistics that the layer starts with to the mean and variance of a data
     * set, which counts as one mini-batch. {@link #build} takes its sample or its population
     * variance, as {@link #populationRunningVar} says.
     *
     * @param statistics of D columns and at least one row; copied
     * @return this builder
     * @throws NullPointerException if {@code statistics} is null
     * @throws IllegalArgumentException if {@code statistics} do not have D columns, or have no row
     */
    public Builder runningStatistics(ColumnStatistics statistics) {
      Check.statistics("statistics", statistics, features);
      Check.atLeast(1, "statistics.rows()", statistics.rows());
      runningMean = statistics.mean();
      runningVar = statistics.var();
      batchesTracked = 1;
      rows = statistics.rows();
      return this;
    }

    /**
     * Sets which variances the running variance averages; false if not called. The normalization in
     * training divides by N either way.
     *
     * @param population true for population variances (divide by N), as in Keras, Flax, ONNX and
     *     DL4J; false for sample variances (divide by N - 1), as in the paper and in PyTorch
     * @return this builder
     */
    public Builder populationRunningVar(boolean population) {
      populationRunningVar = population;
      return this;
    }

    /**
     * Sets whether several threads share matrices of 65,536 values or more in forward, backward,
     * infer and inferBackward; true if not called. infer shares whole rows, so the caller's thread
     * may do a few wide rows alone. A result has the same bits either way, whatever the number of
     * threads.
     *
     * <p>The helpers are daemon threads, one fewer than there are processors, and all layers share
     * them. They end after a second without work. If other work keeps all processors busy, {@code
     * false} is faster.
     *
     * @param parallel whether to use other threads than the caller's
     * @return this builder
     */
    public Builder parallel(boolean parallel) {
      this.parallel = parallel;
      return this;
    }

    /**
     * Makes the layer.
     *
     * @return a new layer, independent of this builder
     * @throws IllegalStateException if the layer is to average sample variances, but its running
     *     statistics are those of one row, which has no sample variance
     */
    public BatchNormLayer build() {
      return new BatchNormLayer(state(), parallel);
    }

    private BatchNormState state() {
      return new BatchNormState(
          gamma,
          beta,
          runningMean,
          rows == 0 || populationRunningVar ? runningVar : sampleVar(),
          batchesTracked,
          epsilon,
          smoothingFactor,
          cumulativeAverage,
          populationRunningVar);
    }

    private double[] sampleVar() {
      Check.sampleVariance(rows);
      double[] sampleVar = runningVar.clone();
      for (int j = 0; j < features; j++) {
        sampleVar[j] *= rows / (rows - 1.0);
      }
      return sampleVar;
    }
  }
}
