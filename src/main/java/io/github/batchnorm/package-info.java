/**
 * Batch normalization, forward and backward, with every node of the computational graph in sight.
 *
 * <p>{@link io.github.batchnorm.BatchNormLayer} is the way in; {@link
 * io.github.batchnorm.BatchNormGraph} and {@link io.github.batchnorm.BatchNormGradients} are what
 * it hands out. Matrices are {@code double[N][D]}: N rows (the mini-batch) by D columns (the
 * features).
 */
package io.github.batchnorm;
