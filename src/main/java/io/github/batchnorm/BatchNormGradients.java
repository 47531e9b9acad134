package io.github.batchnorm;

/**
 * The derivatives of the loss that {@link BatchNormLayer#backward} computes.
 *
 * <p>The arrays belong to the caller: the layer keeps no reference to them. {@code dgamma} and
 * {@code dbeta} are new in every call; they are sums over the batch, neither averaged nor added to
 * those of an earlier call. As in every record with array components, {@code equals} compares the
 * references, not the values.
 *
 * @param dx the derivative by x, shape (N, D)
 * @param dgamma the derivative by gamma, shape (D): {@code Σ dout * xhat} over the batch
 * @param dbeta the derivative by beta, shape (D): {@code Σ dout} over the batch
 */
public record BatchNormGradients(double[][] dx, double[] dgamma, double[] dbeta) {}
