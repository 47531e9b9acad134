package io.github.batchnorm;

import java.math.BigDecimal;
import java.math.BigInteger;

/**
 * The exact sum of products of two doubles: a number of 4,288 binary digits, the last of which is
 * that of {@link Double#MIN_VALUE} squared. Uses no code of the library.
 */
final class ExactSum {
  private static final int EXPONENT = -2148; // of the last binary digit
  private final long[] digits = new long[134]; // in base 2^32, the last first; not carried

  void add(double a) {
    add(a, 1);
  }

  /** Adds a * b. */
  void add(double a, double b) {
    long high = Math.multiplyHigh(significand(a), significand(b));
    long low = significand(a) * significand(b);
    int position = exponent(a) + exponent(b) - EXPONENT;
    add(low & 0xFFFF_FFFFL, position);
    add(low >>> 32, position + 32);
    add(high & 0xFFFF_FFFFL, position + 64);
    add(high >> 32, position + 96);
  }

  private void add(long digit, int position) {
    long shifted = digit << (position % 32);
    digits[position / 32] += shifted & 0xFFFF_FFFFL;
    digits[position / 32 + 1] += shifted >> 32;
  }

  private static int exponent(double a) {
    return Math.max(Math.getExponent(a), Double.MIN_EXPONENT) - 52;
  }

  private static long significand(double a) {
    return (long) Math.scalb(a, -exponent(a));
  }

  BigDecimal value() {
    BigInteger sum = BigInteger.ZERO;
    for (int i = digits.length - 1; i >= 0; i--) {
      sum = sum.shiftLeft(32).add(BigInteger.valueOf(digits[i]));
    }
    int zeros = Math.min(Math.max(sum.getLowestSetBit(), 0), -EXPONENT);
    int places = -EXPONENT - zeros; // 2^-places = 5^places * 10^-places
    return new BigDecimal(
        sum.shiftRight(zeros).multiply(BigInteger.valueOf(5).pow(places)), places);
  }
}
