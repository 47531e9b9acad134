/**
 * Batch normalization of data sets on Apache Spark: precise statistics of a column of vectors, and
 * the same results for each row as on one machine.
 *
 * <p>{@link io.github.batchnorm.spark.VectorColumn} is the way in.
 */
package io.github.batchnorm.spark;
