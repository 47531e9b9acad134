package io.github.batchnorm.benchmark;

import java.util.List;

/**
 * What is measured alike: the methods of a class, with each value of its parameter and each
 * contender.
 *
 * @param parameter its name
 * @param head what stands above its values
 */
record Suite(
    Class<?> type,
    List<String> methods,
    String parameter,
    String head,
    List<String> values,
    List<String> contenders) {

  /** Everything. */
  static List<Suite> all() {
    return List.of(
        training(TrainingBenchmark.METHODS, Contenders.ofTraining()),
        inference(InferenceBenchmark.VALUES, Contenders.ofInference()));
  }

  /** What shows most in the least time. */
  static List<Suite> ofShortRun() {
    return List.of(
        training(List.of("forwardAndBackward"), Contenders.ofShortRun()),
        inference(List.of("64", "1024"), Contenders.ofShortRun()));
  }

  private static Suite training(List<String> methods, List<String> contenders) {
    return new Suite(
        TrainingBenchmark.class, methods, "size", "N x D", TrainingBenchmark.VALUES, contenders);
  }

  private static Suite inference(List<String> values, List<String> contenders) {
    return new Suite(
        InferenceBenchmark.class, InferenceBenchmark.METHODS, "features", "D", values, contenders);
  }

  /** How many there are to make. */
  int measurements() {
    return methods.size() * values.size() * contenders.size();
  }

  /** A regular expression for JMH. */
  String pattern(String method) {
    return type.getName() + "\\." + method + "$";
  }
}
