package io.github.batchnorm;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/** A number and its derivative: arithmetic on such pairs differentiates what it computes. */
record Dual(double value, double slope) {
  static final Dual ZERO = of(0);

  static Dual of(double constant) {
    return new Dual(constant, 0);
  }

  static Dual sum(Dual... terms) {
    return Arrays.stream(terms).reduce(ZERO, Dual::plus);
  }

  static Dual dot(Dual[] a, Dual[] b) {
    Dual sum = ZERO;
    for (int k = 0; k < a.length; k++) {
      sum = sum.plus(a[k].times(b[k]));
    }
    return sum;
  }

  static Dual max(Dual... values) {
    return Arrays.stream(values).reduce((a, b) -> b.value > a.value ? b : a).orElseThrow();
  }

  Dual plus(Dual that) {
    return new Dual(value + that.value, slope + that.slope);
  }

  Dual plus(double that) {
    return new Dual(value + that, slope);
  }

  Dual minus(Dual that) {
    return new Dual(value - that.value, slope - that.slope);
  }

  Dual times(Dual that) {
    return new Dual(value * that.value, value * that.slope + slope * that.value);
  }

  Dual times(double that) {
    return new Dual(value * that, slope * that);
  }

  Dual over(Dual that) {
    double quotient = value / that.value;
    return new Dual(quotient, (slope - quotient * that.slope) / that.value);
  }

  Dual squared() {
    return times(this);
  }

  Dual exp() {
    return chain(Math.exp(value), Math.exp(value));
  }

  Dual log() {
    return chain(Math.log(value), 1 / value);
  }

  Dual log1p() {
    return chain(Math.log1p(value), 1 / (1 + value));
  }

  Dual sqrt() {
    return chain(Math.sqrt(value), 0.5 / Math.sqrt(value));
  }

  Dual sin() {
    return chain(Math.sin(value), Math.cos(value));
  }

  Dual tanh() {
    return chain(Math.tanh(value), 1 / Math.cosh(value) / Math.cosh(value));
  }

  Dual sigmoid() {
    Dual e = abs().times(-1).exp();
    return (value < 0 ? e : of(1)).over(e.plus(1));
  }

  Dual relu() {
    return value > 0 ? this : ZERO;
  }

  Dual abs() {
    return times(Math.signum(value));
  }

  /** As if kept in a float on the way. */
  Dual rounded(DoubleUnaryOperator rounding) {
    return new Dual(rounding.applyAsDouble(value), slope);
  }

  private Dual chain(double result, double derivative) {
    return new Dual(result, slope * derivative);
  }
}
