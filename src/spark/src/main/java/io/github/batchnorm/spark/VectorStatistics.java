package io.github.batchnorm.spark;

import io.github.batchnorm.ColumnStatistics;

/**
 * Statistics of a column of vectors.
 *
 * @param values mean and variance of each value of the vectors
 * @param skipped the number of invalid rows, which are not in the statistics
 */
public record VectorStatistics(ColumnStatistics values, long skipped) {}
