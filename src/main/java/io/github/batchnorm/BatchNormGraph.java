package io.github.batchnorm;

/**
 * The seven intermediate values of one {@link BatchNormLayer#forward}, by the names of Kratzert's
 * post; the steps that make them are in brackets.
 *
 * <p>A snapshot: the arrays are copies that belong to the caller, later calls of the layer do not
 * change them, and changing them does not change the layer. As in every record with array
 * components, {@code equals} compares the references, not the values.
 *
 * @param mu the mean of each feature over the batch, shape (D): {@code Σ x / N} (step 1)
 * @param xmu the centred input, shape (N, D): x less its mean (step 2). What {@code mu}, a double,
 *     lacks of the mean is taken off too: {@code x[i][j] - mu[j]} is less exact where the mean is
 *     large
 * @param sq its square, shape (N, D): {@code xmu²} (step 3)
 * @param var the population variance (divides by N), shape (D): {@code Σ sq / N} (step 4)
 * @param sqrtvar the standard deviation, shape (D): {@code √(var + ε)} (step 5)
 * @param ivar its inverse, shape (D): {@code 1 / sqrtvar} (step 6)
 * @param xhat the normalized input, shape (N, D): {@code xmu * ivar} (step 7)
 */
public record BatchNormGraph(
    double[] mu,
    double[][] xmu,
    double[][] sq,
    double[] var,
    double[] sqrtvar,
    double[] ivar,
    double[][] xhat) {

  /** A table of the nodes by step, from 1 to 7; large matrices are shortened. */
  @Override
  public String toString() {
    return new NodeTable()
        .add(1, "mu", mu)
        .add(2, "xmu", xmu)
        .add(3, "sq", sq)
        .add(4, "var", var)
        .add(5, "sqrtvar", sqrtvar)
        .add(6, "ivar", ivar)
        .add(7, "xhat", xhat)
        .toString();
  }
}
