package io.github.batchnorm.benchmark;

import java.util.Locale;

/**
 * What was measured.
 *
 * @param micros the mean time of a call, in microseconds
 * @param bytes what a call allocates in the Java heap; native memory is not seen
 */
record Score(String method, String size, String contender, double micros, double bytes) {
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%s %s %s %s us, %,.0f bytes",
        method,
        size,
        contender,
        Table.digits(micros, 3),
        bytes);
  }
}
