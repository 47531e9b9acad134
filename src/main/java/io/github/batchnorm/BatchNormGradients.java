package io.github.batchnorm;

/**
 * The derivatives of the loss that {@link BatchNormLayer#backward} and {@link
 * BatchNormLayer#inferBackward} compute.
 *
 * <pre>{@code
 * BatchNormLayer layer = new BatchNormLayer(2);
 * layer.forward(new double[][] {{4, 3}, {4, 0}, {1, -6}});
 * BatchNormGradients gradients = layer.backward(new double[][] {{1, 2}, {4, -1}, {1, 5}});
 * layer.gamma()[0] -= 0.1 * gradients.dgamma()[0];
 * }</pre>
 *
 * <p>The arrays belong to the caller: the layer keeps no reference to them. {@code dgamma} and
 * {@code dbeta} are new in every call. They are sums over the batch, neither averaged nor added to
 * those of an earlier call. As in every record with array components, {@code equals} compares the
 * references, not the values.
 *
 * @param dx the derivative with respect to x, shape (N, D)
 * @param dgamma the derivative with respect to gamma, shape (D): {@code Σ dout * xhat} over the
 *     batch
 * @param dbeta the derivative with respect to beta, shape (D): {@code Σ dout} over the batch
 * @since 1.0
 */
public record BatchNormGradients(double[][] dx, double[] dgamma, double[] dbeta) {

  /**
   * The derivative of the loss with respect to x.
   *
   * @return shape (N, D): the array of this record, no copy
   */
  @Override
  public double[][] dx() {
    return dx;
  }

  /**
   * The derivative of the loss with respect to gamma: {@code Σ dout * xhat} over the batch.
   *
   * @return shape (D): the array of this record, no copy
   */
  @Override
  public double[] dgamma() {
    return dgamma;
  }

  /**
   * The derivative of the loss with respect to beta: {@code Σ dout} over the batch.
   *
   * @return shape (D): the array of this record, no copy
   */
  @Override
  public double[] dbeta() {
    return dbeta;
  }

  /**
   * A table of the derivatives in the order of the walk, from step 9 to 0; large matrices are
   * shortened.
   */
  @Override
  public String toString() {
    return NodeTable.ofNodes()
        .add(9, "dbeta", dbeta)
        .add(8, "dgamma", dgamma)
        .add(0, "dx", dx)
        .toString();
  }
}
