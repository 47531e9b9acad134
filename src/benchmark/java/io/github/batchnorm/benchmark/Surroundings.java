package io.github.batchnorm.benchmark;

import java.util.List;

/** Prints what machine the benchmarks run on. */
final class Surroundings {
  /**
   * With these, which profile peers sets, glibc keeps the pages of libtorch's results between two
   * calls. Without them every large result is mapped and faulted in anew, which takes longer than
   * the arithmetic.
   */
  private static final List<String> GLIBC =
      List.of(
          "MALLOC_ARENA_MAX",
          "MALLOC_MMAP_THRESHOLD_",
          "MALLOC_TRIM_THRESHOLD_",
          "MALLOC_TOP_PAD_");

  private Surroundings() {}

  /** Prints the machine and, if libtorch takes part, the settings of its allocator. */
  static void print() {
    System.out.printf(
        "Java %s, %s %s, %d processors%n",
        System.getProperty("java.vm.version"),
        System.getProperty("os.name"),
        System.getProperty("os.arch"),
        Runtime.getRuntime().availableProcessors());
    if (Contenders.hasLibtorch()) {
      System.out.println("glibc keeps its pages for libtorch if these are set:");
      GLIBC.forEach(name -> System.out.println("  " + name + "=" + System.getenv(name)));
    }
  }
}
