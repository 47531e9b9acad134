package io.github.batchnorm;

import java.io.Serial;
import java.io.Serializable;
import java.util.Arrays;

/**
 * An immutable snapshot of what a {@link BatchNormLayer} has learned and of its settings (all but
 * {@code parallel}), for saving the layer and making it again.
 *
 * <pre>{@code
 * BatchNormLayer layer = new BatchNormLayer(2);
 * layer.forward(new double[][] {{4, 3}, {4, 0}, {1, -6}});
 * BatchNormState state = layer.state();                        // save this, as JSON for instance
 * BatchNormLayer same = BatchNormLayer.of(state);              // gives the same bits as layer
 * }</pre>
 *
 * <p>What other libraries call the components, with their defaults:
 *
 * <table>
 * <caption>Names of the components elsewhere</caption>
 * <tr><th>here</th><th>PyTorch</th><th>Keras</th><th>ONNX</th></tr>
 * <tr><td>gamma</td><td>weight</td><td>gamma</td><td>scale</td></tr>
 * <tr><td>beta</td><td>bias</td><td>beta</td><td>B</td></tr>
 * <tr><td>runningMean</td><td>running_mean</td><td>moving_mean</td><td>input_mean</td></tr>
 * <tr><td>runningVar</td><td>running_var</td><td>moving_variance</td><td>input_var</td></tr>
 * <tr><td>batchesTracked</td><td>num_batches_tracked</td><td>-</td><td>-</td></tr>
 * <tr><td>epsilon, 1e-5</td><td>eps, 1e-5</td><td>epsilon, 1e-3</td><td>epsilon, 1e-5</td></tr>
 * <tr><td>smoothingFactor a, 0.1</td><td>momentum = a, 0.1</td><td>momentum = 1 - a, 0.99</td>
 *     <td>momentum = 1 - a, 0.9</td></tr>
 * <tr><td>cumulativeAverage, false</td><td>momentum = None</td><td>-</td><td>-</td></tr>
 * <tr><td>populationRunningVar, false</td><td>false</td><td>true</td><td>true</td></tr>
 * </table>
 *
 * <p>The constructor copies the arrays, and every accessor returns a new copy. Any number of
 * threads may use a state. Java serialization goes through the constructor, so a file that breaks a
 * rule is refused when it is read.
 *
 * @param gamma the scale γ, shape (D) with D >= 1; finite
 * @param beta the shift β, shape (D); finite
 * @param runningMean the running mean, shape (D); finite
 * @param runningVar the running variance, shape (D); finite and {@code >= 0}
 * @param batchesTracked the number of mini-batches in the running statistics; {@code >= 0}
 * @param epsilon ε; in [{@link Double#MIN_NORMAL}, 1e290]
 * @param smoothingFactor a of {@code running = (1 - a) * running + a * batch}; in (0, 1]
 * @param cumulativeAverage whether a is 1 / batchesTracked, in place of smoothingFactor
 * @param populationRunningVar whether runningVar averages population variances (divide by N), not
 *     sample variances (divide by N - 1)
 * @since 1.0
 * @serial exclude
 */
public record BatchNormState(
    double[] gamma,
    double[] beta,
    double[] runningMean,
    double[] runningVar,
    long batchesTracked,
    double epsilon,
    double smoothingFactor,
    boolean cumulativeAverage,
    boolean populationRunningVar)
    implements Serializable {

  /*
   * A file of 1.0.0 loads in every later 1.x (SavedStatesTest). So a new component
   *
   * - is the last one, and has a type that can be null: where an old file lacks the component, Java
   *   serialization and JSON libraries read null, even those that refuse a missing number;
   * - means by null what earlier versions did: the constructor replaces null by this default;
   * - leaves the old constructor in place, as a second one, which passes null for the component;
   * - does not change serialVersionUID.
   *
   * No component goes, or gets another name or meaning. Each release saves files of its own (see
   * saved/README.md in the test resources).
   */
  @Serial private static final long serialVersionUID = 1;

  /**
   * Checks every component, and copies the arrays.
   *
   * @param gamma the scale γ, not modified
   * @param beta the shift β, not modified
   * @param runningMean the running mean, not modified
   * @param runningVar the running variance, not modified
   * @param batchesTracked the number of mini-batches in the running statistics
   * @param epsilon ε
   * @param smoothingFactor the weight a of a new mini-batch
   * @param cumulativeAverage whether a is 1 / batchesTracked instead
   * @param populationRunningVar whether runningVar averages population variances
   * @throws NullPointerException if an array is null
   * @throws IllegalArgumentException if a component breaks its rule; the message names the
   *     component, the index, the value and the rule
   */
  public BatchNormState {
    // copied first: what is checked is what is kept
    gamma = copy("gamma", gamma);
    beta = copy("beta", beta);
    runningMean = copy("runningMean", runningMean);
    runningVar = copy("runningVar", runningVar);
    Check.vector("gamma", gamma);
    Check.vector("beta", beta, gamma.length);
    Check.vector("runningMean", runningMean, gamma.length);
    Check.variances("runningVar", runningVar, gamma.length);
    Check.atLeast(0, "batchesTracked", batchesTracked);
    Check.epsilon(epsilon);
    Check.smoothingFactor(smoothingFactor);
  }

  private static double[] copy(String name, double[] values) {
    Check.nonNull(values, name);
    return values.clone();
  }

  /** Copies gamma and beta into arrays of D values. Allocates nothing, so it cannot fail. */
  void copyParameters(double[] toGamma, double[] toBeta) {
    System.arraycopy(gamma, 0, toGamma, 0, gamma.length);
    System.arraycopy(beta, 0, toBeta, 0, beta.length);
  }

  /** Copies the running averages into arrays of D values. Allocates nothing either. */
  void copyRunning(double[] toMean, double[] toVar) {
    System.arraycopy(runningMean, 0, toMean, 0, runningMean.length);
    System.arraycopy(runningVar, 0, toVar, 0, runningVar.length);
  }

  /** The number of columns, D. */
  int features() {
    return gamma.length;
  }

  /**
   * The scale γ.
   *
   * @return shape (D): a new array
   */
  @Override
  public double[] gamma() {
    return gamma.clone();
  }

  /**
   * The shift β.
   *
   * @return shape (D): a new array
   */
  @Override
  public double[] beta() {
    return beta.clone();
  }

  /**
   * The running mean.
   *
   * @return shape (D): a new array
   */
  @Override
  public double[] runningMean() {
    return runningMean.clone();
  }

  /**
   * The running variance.
   *
   * @return shape (D): a new array
   */
  @Override
  public double[] runningVar() {
    return runningVar.clone();
  }

  /** Whether the other is a state of the same values, bit for bit: 0.0 is not -0.0. */
  @Override
  public boolean equals(Object other) {
    return other instanceof BatchNormState state
        && Arrays.deepEquals(components(), state.components());
  }

  @Override
  public int hashCode() {
    return Arrays.deepHashCode(components());
  }

  private Object[] components() {
    return new Object[] {
      gamma,
      beta,
      runningMean,
      runningVar,
      batchesTracked,
      epsilon,
      smoothingFactor,
      cumulativeAverage,
      populationRunningVar
    };
  }

  /** A table of the components; long arrays are shortened. */
  @Override
  public String toString() {
    return NodeTable.ofComponents()
        .add("gamma", gamma)
        .add("beta", beta)
        .add("runningMean", runningMean)
        .add("runningVar", runningVar)
        .add("batchesTracked", batchesTracked)
        .add("epsilon", epsilon)
        .add("smoothingFactor", smoothingFactor)
        .add("cumulativeAverage", cumulativeAverage)
        .add("populationRunningVar", populationRunningVar)
        .toString();
  }
}
