package io.github.batchnorm.benchmark;

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;

/**
 * Makes the collector move what is young. In a fresh heap the rows of a matrix lie one behind the
 * other; in a program that has run for a while they do not, because G1 copies them with several
 * threads. This class brings about the second case.
 */
final class YoungCollections {
  /** After this many, the survivors hardly move any more. */
  private static final int COLLECTIONS = 3;

  /** At most 10 GB of garbage: a collector that counts no collections must not hang the run. */
  private static final int MAX_ARRAYS = 10 << 14;

  private static byte[] sink;

  private YoungCollections() {}

  /** Makes garbage until there were some collections. */
  static void provoke() {
    long end = count() + COLLECTIONS;
    for (int i = 0; i < MAX_ARRAYS && count() < end; i++) {
      sink = new byte[1 << 16];
    }
    sink = null;
  }

  private static long count() {
    return ManagementFactory.getGarbageCollectorMXBeans().stream()
        .mapToLong(GarbageCollectorMXBean::getCollectionCount)
        .sum();
  }
}
