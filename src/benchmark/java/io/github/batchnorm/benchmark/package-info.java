/**
 * How long forward and backward take, in every mode of the library, against a naive port of
 * Kratzert's post and, in src/benchmark/peers, against libtorch.
 *
 * <p>{@link io.github.batchnorm.benchmark.Benchmarks} is the program, {@link
 * io.github.batchnorm.benchmark.BatchNormBenchmark} what it lets JMH measure, a {@link
 * io.github.batchnorm.benchmark.Contender} whatever is measured.
 */
package io.github.batchnorm.benchmark;
