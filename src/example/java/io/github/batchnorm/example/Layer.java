package io.github.batchnorm.example;

/**
 * One layer of a network that is trained by gradient descent.
 *
 * <p>To save copies, a layer may write its result over the matrix that it is given; only {@link
 * Dense} promises not to. N rows, one for each image; K columns in, D columns out.
 */
interface Layer {
  /**
   * Training: computes the output and keeps what {@link #backward} needs.
   *
   * @param x shape (N, K)
   * @return shape (N, D)
   */
  double[][] forward(double[][] x);

  /**
   * Goes back through the last {@link #forward} and keeps the derivatives by the parameters.
   *
   * @param dout the derivative of the loss with respect to the output, shape (N, D)
   * @return the derivative by x, shape (N, K)
   */
  double[][] backward(double[][] dout);

  /**
   * Inference: computes the output and keeps nothing.
   *
   * @param x shape (N, K)
   * @return shape (N, D)
   */
  double[][] infer(double[][] x);

  /** Makes one step of gradient descent, with the derivatives of the last {@link #backward}. */
  void update(double learningRate);
}
