/**
 * Figure 1 of Ioffe and Szegedy 2015 on MNIST digits: a network with batch norm against one
 * without.
 *
 * <p>{@link io.github.batchnorm.example.BatchNorm} is where the library is used. In all classes a
 * matrix is {@code double[rows][columns]}, N is the number of images in it, one row each, and
 * {@code d} + name is the derivative of the loss with respect to what the name stands for.
 *
 * <p>Apart from that, {@link io.github.batchnorm.example.GraphPage} shows the library's graph as a
 * web page.
 */
package io.github.batchnorm.example;
