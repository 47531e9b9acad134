package io.github.batchnorm;

/**
 * The seven intermediate values of one {@link BatchNormLayer#forward}, by the names of Kratzert's
 * post. The numbers in brackets are the steps that compute them.
 *
 * <pre>{@code
 * BatchNormLayer layer = new BatchNormLayer(2);
 * double[][] out = layer.forward(new double[][] {{4, 3}, {4, 0}, {1, -6}});
 * String table = layer.graph().toString();                     // all nodes
 * double[][] xhat = layer.graph().xhat();                      // out is gamma * xhat + beta
 * }</pre>
 *
 * <p>Every formula without a Σ holds to the bit, except that of {@code xmu}; see that component.
 *
 * <p>The record is a snapshot: its arrays are copies that belong to the caller. Later calls of the
 * layer do not change them, and changing them does not change the layer. As in every record with
 * array components, {@code equals} compares the references, not the values.
 *
 * @param mu the mean of each feature over the batch, shape (D): {@code Σ x / N} (step 1)
 * @param xmu the centred input, shape (N, D): {@code x - mu} (step 2). The layer also subtracts the
 *     rounding error of {@code mu}, so xmu is more exact than {@code x[i][j] - mu[j]} where the
 *     mean is large
 * @param sq the square of xmu, shape (N, D): {@code xmu²} (step 3)
 * @param var the population variance (divides by N), shape (D): {@code Σ sq / N} (step 4)
 * @param sqrtvar the standard deviation, shape (D): {@code √(var + ε)} (step 5)
 * @param ivar the inverse of sqrtvar, shape (D): {@code 1 / sqrtvar} (step 6)
 * @param xhat the normalized input, shape (N, D): {@code xmu * ivar} (step 7)
 * @since 1.0
 */
public record BatchNormGraph(
    double[] mu,
    double[][] xmu,
    double[][] sq,
    double[] var,
    double[] sqrtvar,
    double[] ivar,
    double[][] xhat) {

  /**
   * Step 1: {@code mu = Σ x / N}, the mean of each feature over the batch.
   *
   * @return shape (D): the array of this record, no copy
   */
  @Override
  public double[] mu() {
    return mu;
  }

  /**
   * Step 2: {@code xmu = x - mu}, the centred input.
   *
   * @return shape (N, D): the array of this record, no copy
   */
  @Override
  public double[][] xmu() {
    return xmu;
  }

  /**
   * Step 3: {@code sq = xmu²}, the square of xmu.
   *
   * @return shape (N, D): the array of this record, no copy
   */
  @Override
  public double[][] sq() {
    return sq;
  }

  /**
   * Step 4: {@code var = Σ sq / N}, the population variance (divides by N).
   *
   * @return shape (D): the array of this record, no copy
   */
  @Override
  public double[] var() {
    return var;
  }

  /**
   * Step 5: {@code sqrtvar = √(var + ε)}, the standard deviation.
   *
   * @return shape (D): the array of this record, no copy
   */
  @Override
  public double[] sqrtvar() {
    return sqrtvar;
  }

  /**
   * Step 6: {@code ivar = 1 / sqrtvar}, the inverse of sqrtvar.
   *
   * @return shape (D): the array of this record, no copy
   */
  @Override
  public double[] ivar() {
    return ivar;
  }

  /**
   * Step 7: {@code xhat = xmu * ivar}, the normalized input.
   *
   * @return shape (N, D): the array of this record, no copy
   */
  @Override
  public double[][] xhat() {
    return xhat;
  }

  /** A table of the nodes by step, from 1 to 7; large matrices are shortened. */
  @Override
  public String toString() {
    return NodeTable.ofNodes()
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
