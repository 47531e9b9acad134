package io.github.batchnorm;

/**
 * Every node of one walk from step 9 back to step 0, by the names of Kratzert's post. A node is the
 * derivative of the loss with respect to the node of the same name without the d. The steps are in
 * brackets.
 *
 * <pre>{@code
 * BatchNormLayer layer = new BatchNormLayer(2);
 * layer.forward(new double[][] {{4, 3}, {4, 0}, {1, -6}});
 * BatchNormBackwardGraph backwardGraph = layer.backwardGraph(new double[][] {{1, 2}, {4, -1}, {1, 5}});
 * String table = backwardGraph.toString();                             // all nodes
 * double[][] dxhat = backwardGraph.dxhat();
 * }</pre>
 *
 * <p>For learning and debugging: {@link BatchNormLayer#backward} computes the same without most of
 * these matrices. {@code dx}, {@code dgamma} and {@code dbeta} are those of {@code backward}, and
 * every formula without a Σ holds to the bit. Where a node has two formulas, this is true of the
 * second one, after "as".
 *
 * <p>A snapshot: the arrays belong to the caller. As in every record with array components, {@code
 * equals} compares the references, not the values.
 *
 * @param dgammax shape (N, D): {@code dout} (step 9)
 * @param dxhat shape (N, D): {@code dgammax * gamma} (step 8)
 * @param divar shape (D): {@code Σ dxhat * xmu} (step 7)
 * @param dxmu1 shape (N, D), by way of xhat: {@code dxhat * ivar} (step 7)
 * @param dsqrtvar shape (D): {@code -1 / sqrtvar² * divar} (step 6), as {@code -ivar * ivar *
 *     divar}
 * @param dvar shape (D): {@code 0.5 / √(var + ε) * dsqrtvar} (step 5), as {@code 0.5 * ivar *
 *     dsqrtvar}
 * @param dsq shape (N, D), the same in every row: {@code dvar / N} (step 4)
 * @param dxmu2 shape (N, D), by way of sq: {@code 2 * xmu * dsq} (step 3)
 * @param dx1 shape (N, D), two branches meet in xmu: {@code dxmu1 + dxmu2} (step 2)
 * @param dmu shape (D): {@code -Σ dx1} (step 2), as {@code -(gamma * ivar) * Σ dout}
 * @param dx2 shape (N, D), the same in every row: {@code dmu / N} (step 1)
 * @param dx shape (N, D), two branches meet in x: {@code dx1 + dx2} (step 0)
 * @param dgamma shape (D): {@code Σ dgammax * xhat} (step 8)
 * @param dbeta shape (D): {@code Σ dout} (step 9)
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
