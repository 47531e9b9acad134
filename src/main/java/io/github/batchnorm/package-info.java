/**
 * Batch normalization, forward and backward, with every node of the computational graph in sight.
 *
 * <p>Start with {@link io.github.batchnorm.BatchNormLayer}. It returns {@link
 * io.github.batchnorm.BatchNormGradients} from {@code backward}, {@link
 * io.github.batchnorm.BatchNormGraph} and {@link io.github.batchnorm.BatchNormBackwardGraph} for
 * readers who want to see the nodes, and {@link io.github.batchnorm.BatchNormState} for saving and
 * loading. {@link io.github.batchnorm.ColumnStatistics} merges means and variances of parts of a
 * data set or of a mini-batch. {@link io.github.batchnorm.GradientCheck} compares any gradient, of
 * this layer or of code of your own, with the slopes of its function, and returns a {@link
 * io.github.batchnorm.GradientReport}. Matrices are {@code double[N][D]}: N rows (the mini-batch)
 * by D columns (the features).
 *
 * <h2>The walk forward</h2>
 *
 * <p>The names and the numbers of the steps are those of F. Kratzert, <a
 * href="https://kratzert.github.io/2016/02/12/understanding-the-gradient-flow-through-the-batch-normalization-layer.html">Understanding
 * the backward pass through Batch Normalization Layer</a> (2016). Every node is a component of
 * {@code BatchNormGraph}, except {@code gammax} and {@code out}.
 *
 * <ol>
 *   <li>{@code mu = Σ x / N}: the mean of each feature over the batch.
 *   <li>{@code xmu = x - mu}: the input, centred.
 *   <li>{@code sq = xmu²}: the square of xmu.
 *   <li>{@code var = Σ sq / N}: the population variance.
 *   <li>{@code sqrtvar = √(var + ε)}: the standard deviation; ε keeps it from being 0.
 *   <li>{@code ivar = 1 / sqrtvar}: the inverse of sqrtvar.
 *   <li>{@code xhat = xmu * ivar}: the normalized input, with mean 0 and variance {@code var / (var
 *       + ε)}, which is nearly 1.
 *   <li>{@code gammax = gamma * xhat}: xhat, scaled.
 *   <li>{@code out = gammax + beta}: gammax, shifted.
 * </ol>
 *
 * <h2>The walk back</h2>
 *
 * <p>Backward goes from step 9 to step 0. At each step the derivative of the loss with respect to
 * the output of the step arrives. The step multiplies this derivative by its local derivative, and
 * hands the product to its inputs. {@code dxhat}, for example, is the derivative of the loss with
 * respect to the node {@code xhat}. Every node of this walk is a component of {@code
 * BatchNormBackwardGraph}.
 *
 * <dl>
 *   <dt>Step 9, {@code out = gammax + beta}
 *   <dd>A sum has the local derivative 1: {@code dgammax = dout}. Every row has the same beta, so
 *       the derivatives of all rows add up: {@code dbeta = Σ dout}.
 *   <dt>Step 8, {@code gammax = gamma * xhat}
 *   <dd>In a product each factor is the local derivative of the other: {@code dgamma = Σ dgammax *
 *       xhat} and {@code dxhat = dgammax * gamma}.
 *   <dt>Step 7, {@code xhat = xmu * ivar}
 *   <dd>Again a product: {@code divar = Σ dxhat * xmu} and {@code dxmu1 = dxhat * ivar}.
 *   <dt>Step 6, {@code ivar = 1 / sqrtvar}
 *   <dd>The local derivative is {@code -1 / sqrtvar²}: {@code dsqrtvar = -1 / sqrtvar² * divar}.
 *   <dt>Step 5, {@code sqrtvar = √(var + ε)}
 *   <dd>The local derivative is {@code 0.5 / √(var + ε)}: {@code dvar = 0.5 / sqrtvar * dsqrtvar}.
 *   <dt>Step 4, {@code var = Σ sq / N}
 *   <dd>Each of the N squares has the local derivative 1 / N: {@code dsq = dvar / N} in every row.
 *   <dt>Step 3, {@code sq = xmu²}
 *   <dd>The local derivative is {@code 2 * xmu}: {@code dxmu2 = 2 * xmu * dsq}.
 *   <dt>Step 2, {@code xmu = x - mu}
 *   <dd>xmu feeds steps 3 and 7, so two branches meet, and their derivatives are added: {@code dx1
 *       = dxmu1 + dxmu2} goes on to x. mu has the local derivative -1 in every row: {@code dmu = -Σ
 *       dx1}.
 *   <dt>Step 1, {@code mu = Σ x / N}
 *   <dd>Each of the N values has the local derivative 1 / N: {@code dx2 = dmu / N} in every row.
 *   <dt>Step 0, x
 *   <dd>x feeds steps 1 and 2, so two branches meet: {@code dx = dx1 + dx2}.
 * </dl>
 *
 * <p>The layer itself, in training and in inference, is that of S. Ioffe, C. Szegedy, <a
 * href="https://arxiv.org/abs/1502.03167">Batch Normalization: Accelerating Deep Network Training
 * by Reducing Internal Covariate Shift</a> (2015).
 */
package io.github.batchnorm;
