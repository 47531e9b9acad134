package io.github.batchnorm;

import java.util.function.ToDoubleFunction;

/**
 * The bounds that the class comment of {@link BatchNormLayer} states: {@code (c + log2 N) * 2^-53},
 * to be multiplied by the scale of the result.
 */
enum Bound {
  OUT("out", 95, r -> r.out),
  DX("dx", 125, r -> r.dx),
  DBETA("dβ", 15, r -> r.dbeta),
  DGAMMA("dγ", 60, r -> r.dgamma),
  VAR("σ²", 21, r -> r.var),
  MU("μ", 56, r -> r.mu),
  INFER_DBETA("dβ of {@link #inferBackward}", 15, r -> r.dbeta),
  INFER_DGAMMA("dγ of {@link #inferBackward}", 33, r -> r.inferDgamma);

  final String result;
  final int c;
  final ToDoubleFunction<Roundings> count;

  Bound(String result, int c, ToDoubleFunction<Roundings> count) {
    this.result = result;
    this.c = c;
    this.count = count;
  }

  double at(int n) {
    return (c + log2(n)) * 0x1p-53;
  }

  static double log2(double n) {
    return Math.log(n) / Math.log(2);
  }
}
