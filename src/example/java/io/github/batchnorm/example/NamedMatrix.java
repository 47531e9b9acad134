package io.github.batchnorm.example;

import java.util.List;

/**
 * A matrix whose columns may have names.
 *
 * @param values (N, D)
 * @param names (D), or empty
 */
record NamedMatrix(double[][] values, List<String> names) {}
