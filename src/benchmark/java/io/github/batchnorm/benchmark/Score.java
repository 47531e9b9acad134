package io.github.batchnorm.benchmark;

import java.util.Locale;

/**
 * What was measured.
 *
 * @param value of the parameter
 * @param time the mean time of an operation
 * @param unit of the time, such as us/op
 * @param bytes what an operation allocates in the Java heap; native memory is not seen
 */
record Score(
    String method, String value, String contender, double time, String unit, double bytes) {
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%s %s %s %s %s, %,.0f bytes",
        method,
        value,
        contender,
        Table.digits(time, 3),
        unit,
        bytes);
  }
}
