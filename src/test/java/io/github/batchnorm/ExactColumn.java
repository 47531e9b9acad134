package io.github.batchnorm;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;

/**
 * Batch normalization of one column in exact arithmetic: the sums are exact, what follows has 50
 * digits. Uses no code of the library.
 */
final class ExactColumn {
  private static final MathContext DIGITS = new MathContext(50);

  final BigDecimal mu;
  final BigDecimal var;
  final BigDecimal ivar;
  final BigDecimal dbeta;
  final BigDecimal dgamma;
  final BigDecimal products; // Σ dout * x
  private final BigDecimal n;
  private final BigDecimal[] x;
  private final BigDecimal[] dout;
  private final BigDecimal gamma;
  private final BigDecimal beta;

  ExactColumn(double[] x, double[] dout, double gamma, double beta, double epsilon) {
    this.x = exact(x);
    this.dout = exact(dout);
    this.gamma = new BigDecimal(gamma);
    this.beta = new BigDecimal(beta);
    n = BigDecimal.valueOf(x.length);
    BigDecimal sum = sum(this.x);
    mu = sum.divide(n, DIGITS);
    // Σ (x - mu)² = Σ x² - (Σ x)² / N: nothing is lost where nothing is rounded
    var = products(this.x, this.x).multiply(n).subtract(sum.pow(2)).divide(n.pow(2), DIGITS);
    ivar = BigDecimal.ONE.divide(var.add(new BigDecimal(epsilon)).sqrt(DIGITS), DIGITS);
    dbeta = sum(this.dout);
    products = products(this.dout, this.x);
    BigDecimal sumDoutXmu = products.multiply(n).subtract(dbeta.multiply(sum)).divide(n, DIGITS);
    dgamma = sumDoutXmu.multiply(ivar, DIGITS);
  }

  private static BigDecimal[] exact(double[] a) {
    return Arrays.stream(a).mapToObj(BigDecimal::new).toArray(BigDecimal[]::new);
  }

  private static BigDecimal sum(BigDecimal[] a) {
    return Arrays.stream(a).reduce(BigDecimal.ZERO, BigDecimal::add);
  }

  private static BigDecimal products(BigDecimal[] a, BigDecimal[] b) {
    BigDecimal sum = BigDecimal.ZERO;
    for (int i = 0; i < a.length; i++) {
      sum = sum.add(a[i].multiply(b[i]));
    }
    return sum;
  }

  BigDecimal xhat(int i) {
    return x[i].subtract(mu).multiply(ivar, DIGITS);
  }

  BigDecimal out(int i) {
    return gamma.multiply(xhat(i)).add(beta);
  }

  /** {@code gamma * ivar * (dout - mean(dout) - xhat * mean(dout * xhat))}, the closed form. */
  BigDecimal dx(int i) {
    return dout[i]
        .subtract(dbeta.divide(n, DIGITS))
        .subtract(xhat(i).multiply(dgamma).divide(n, DIGITS))
        .multiply(gamma)
        .multiply(ivar, DIGITS);
  }

  static double distance(double actual, BigDecimal exact) {
    return new BigDecimal(actual).subtract(exact).abs().doubleValue();
  }
}
