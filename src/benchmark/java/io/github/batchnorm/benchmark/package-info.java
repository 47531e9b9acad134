/**
 * How long training and inference take, in every mode of the library, against loops written by hand
 * and, in src/benchmark/peers, against libtorch.
 *
 * <p>{@link io.github.batchnorm.benchmark.Benchmarks} is the program. It lets JMH measure {@link
 * io.github.batchnorm.benchmark.TrainingBenchmark} and {@link
 * io.github.batchnorm.benchmark.InferenceBenchmark}. What they measure is a {@link
 * io.github.batchnorm.benchmark.Contender} or an {@link
 * io.github.batchnorm.benchmark.InferenceContender}.
 */
package io.github.batchnorm.benchmark;
