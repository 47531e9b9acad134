package io.github.batchnorm;

import java.math.BigDecimal;
import java.math.MathContext;

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
  private final BigDecimal meanDout;
  private final BigDecimal meanDoutXhat;
  private final double[] x;
  private final double[] dout;
  private final BigDecimal gamma;
  private final BigDecimal beta;

  ExactColumn(double[] x, double[] dout, double gamma, double beta, double epsilon) {
    this.x = x;
    this.dout = dout;
    this.gamma = new BigDecimal(gamma);
    this.beta = new BigDecimal(beta);
    ExactSum sumX = new ExactSum();
    ExactSum sumSquares = new ExactSum();
    ExactSum sumDout = new ExactSum();
    ExactSum sumProducts = new ExactSum();
    for (int i = 0; i < x.length; i++) {
      sumX.add(x[i]);
      sumSquares.add(x[i], x[i]);
      sumDout.add(dout[i]);
      sumProducts.add(dout[i], x[i]);
    }
    BigDecimal n = BigDecimal.valueOf(x.length);
    BigDecimal sum = sumX.value();
    mu = sum.divide(n, DIGITS);
    // Σ (x - mu)² = Σ x² - (Σ x)² / N: nothing is lost where nothing is rounded
    var = sumSquares.value().multiply(n).subtract(sum.pow(2)).divide(n.pow(2), DIGITS);
    ivar = BigDecimal.ONE.divide(var.add(new BigDecimal(epsilon)).sqrt(DIGITS), DIGITS);
    dbeta = sumDout.value();
    products = sumProducts.value();
    BigDecimal sumDoutXmu = products.multiply(n).subtract(dbeta.multiply(sum)).divide(n, DIGITS);
    dgamma = sumDoutXmu.multiply(ivar, DIGITS);
    meanDout = dbeta.divide(n, DIGITS);
    meanDoutXhat = dgamma.divide(n, DIGITS);
  }

  BigDecimal xhat(int i) {
    return new BigDecimal(x[i]).subtract(mu).multiply(ivar, DIGITS);
  }

  BigDecimal out(int i) {
    return gamma.multiply(xhat(i)).add(beta);
  }

  /** {@code gamma * ivar * (dout - mean(dout) - xhat * mean(dout * xhat))}, the closed form. */
  BigDecimal dx(int i) {
    return new BigDecimal(dout[i])
        .subtract(meanDout)
        .subtract(xhat(i).multiply(meanDoutXhat, DIGITS))
        .multiply(gamma)
        .multiply(ivar, DIGITS);
  }

  static double distance(double actual, BigDecimal exact) {
    return new BigDecimal(actual).subtract(exact).abs().doubleValue();
  }
}
