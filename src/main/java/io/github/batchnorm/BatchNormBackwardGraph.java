package io.github.batchnorm;

/**
 * All derivatives of one walk from step 9 back to step 0, by the names of Kratzert's post. The
 * derivative of the loss with respect to a node has the name of that node after a {@code d}. Where
 * two branches meet, in xmu and in x, a number at the end of the name tells the branches apart. The
 * numbers in brackets are the steps.
 *
 * <pre>{@code
 * BatchNormLayer layer = new BatchNormLayer(2);
 * layer.forward(new double[][] {{4, 3}, {4, 0}, {1, -6}});
 * BatchNormBackwardGraph back = layer.backwardGraph(new double[][] {{1, 2}, {4, -1}, {1, 5}});
 * String table = back.toString();                              // all nodes
 * double[][] dxhat = back.dxhat();
 * }</pre>
 *
 * <p>The record is for learning and debugging: {@link BatchNormLayer#backward} computes the same
 * {@code dx}, {@code dgamma} and {@code dbeta} without most of these matrices. A formula without a
 * Σ holds to the bit, unless a second one follows it after "computed as". Then the second one holds
 * to the bit, with {@code dbeta} for {@code Σ dout}.
 *
 * <p>The arrays belong to the caller, and later calls of the layer do not change them. As in every
 * record with array components, {@code equals} compares the references, not the values.
 *
 * @param dgammax shape (N, D): {@code dout} (step 9)
 * @param dxhat shape (N, D): {@code dgammax * gamma} (step 8)
 * @param divar shape (D): {@code Σ dxhat * xmu} (step 7)
 * @param dxmu1 shape (N, D), by way of xhat: {@code dxhat * ivar} (step 7)
 * @param dsqrtvar shape (D): {@code -1 / sqrtvar² * divar} (step 6), computed as {@code -ivar *
 *     ivar * divar}
 * @param dvar shape (D): {@code 0.5 / √(var + ε) * dsqrtvar} (step 5), computed as {@code 0.5 *
 *     ivar * dsqrtvar}
 * @param dsq shape (N, D), the same in every row: {@code dvar / N} (step 4)
 * @param dxmu2 shape (N, D), by way of sq: {@code 2 * xmu * dsq} (step 3)
 * @param dx1 shape (N, D), where two branches meet in xmu: {@code dxmu1 + dxmu2} (step 2)
 * @param dmu shape (D): {@code -Σ dx1} (step 2), computed as {@code -(gamma * ivar) * Σ dout}
 * @param dx2 shape (N, D), the same in every row: {@code dmu / N} (step 1)
 * @param dx shape (N, D), where two branches meet in x: {@code dx1 + dx2} (step 0)
 * @param dgamma shape (D): {@code Σ dgammax * xhat} (step 8)
 * @param dbeta shape (D): {@code Σ dout} (step 9)
 * @since 1.0
 */
public record BatchNormBackwardGraph(
    double[][] dgammax,
    double[][] dxhat,
    double[] divar,
    double[][] dxmu1,
    double[] dsqrtvar,
    double[] dvar,
    double[][] dsq,
    double[][] dxmu2,
    double[][] dx1,
    double[] dmu,
    double[][] dx2,
    double[][] dx,
    double[] dgamma,
    double[] dbeta) {

  /**
   * Step 9: {@code dgammax = dout}.
   *
   * @return shape (N, D): the array of this record, no copy
   */
  @Override
  public double[][] dgammax() {
    return dgammax;
  }

  /**
   * Step 8: {@code dxhat = dgammax * gamma}.
   *
   * @return shape (N, D): the array of this record, no copy
   */
  @Override
  public double[][] dxhat() {
    return dxhat;
  }

  /**
   * Step 7: {@code divar = Σ dxhat * xmu}.
   *
   * @return shape (D): the array of this record, no copy
   */
  @Override
  public double[] divar() {
    return divar;
  }

  /**
   * Step 7: {@code dxmu1 = dxhat * ivar}, by way of xhat.
   *
   * @return shape (N, D): the array of this record, no copy
   */
  @Override
  public double[][] dxmu1() {
    return dxmu1;
  }

  /**
   * Step 6: {@code dsqrtvar = -1 / sqrtvar² * divar}, computed as {@code -ivar * ivar * divar}.
   *
   * @return shape (D): the array of this record, no copy
   */
  @Override
  public double[] dsqrtvar() {
    return dsqrtvar;
  }

  /**
   * Step 5: {@code dvar = 0.5 / √(var + ε) * dsqrtvar}, computed as {@code 0.5 * ivar * dsqrtvar}.
   *
   * @return shape (D): the array of this record, no copy
   */
  @Override
  public double[] dvar() {
    return dvar;
  }

  /**
   * Step 4: {@code dsq = dvar / N}, the same in every row.
   *
   * @return shape (N, D): the array of this record, no copy
   */
  @Override
  public double[][] dsq() {
    return dsq;
  }

  /**
   * Step 3: {@code dxmu2 = 2 * xmu * dsq}, by way of sq.
   *
   * @return shape (N, D): the array of this record, no copy
   */
  @Override
  public double[][] dxmu2() {
    return dxmu2;
  }

  /**
   * Step 2: {@code dx1 = dxmu1 + dxmu2}; two branches meet in xmu.
   *
   * @return shape (N, D): the array of this record, no copy
   */
  @Override
  public double[][] dx1() {
    return dx1;
  }

  /**
   * Step 2: {@code dmu = -Σ dx1}, computed as {@code -(gamma * ivar) * Σ dout}.
   *
   * @return shape (D): the array of this record, no copy
   */
  @Override
  public double[] dmu() {
    return dmu;
  }

  /**
   * Step 1: {@code dx2 = dmu / N}, the same in every row.
   *
   * @return shape (N, D): the array of this record, no copy
   */
  @Override
  public double[][] dx2() {
    return dx2;
  }

  /**
   * Step 0: {@code dx = dx1 + dx2}; two branches meet in x.
   *
   * @return shape (N, D): the array of this record, no copy
   */
  @Override
  public double[][] dx() {
    return dx;
  }

  /**
   * Step 8: {@code dgamma = Σ dgammax * xhat}.
   *
   * @return shape (D): the array of this record, no copy
   */
  @Override
  public double[] dgamma() {
    return dgamma;
  }

  /**
   * Step 9: {@code dbeta = Σ dout}.
   *
   * @return shape (D): the array of this record, no copy
   */
  @Override
  public double[] dbeta() {
    return dbeta;
  }

  /** A table of the nodes by step, from 9 to 0; large matrices are shortened. */
  @Override
  public String toString() {
    return NodeTable.ofNodes()
        .add(9, "dbeta", dbeta)
        .add(9, "dgammax", dgammax)
        .add(8, "dgamma", dgamma)
        .add(8, "dxhat", dxhat)
        .add(7, "divar", divar)
        .add(7, "dxmu1", dxmu1)
        .add(6, "dsqrtvar", dsqrtvar)
        .add(5, "dvar", dvar)
        .add(4, "dsq", dsq)
        .add(3, "dxmu2", dxmu2)
        .add(2, "dx1", dx1)
        .add(2, "dmu", dmu)
        .add(1, "dx2", dx2)
        .add(0, "dx", dx)
        .toString();
  }
}
