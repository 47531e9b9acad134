package io.github.batchnorm;

/**
 * How often the layer rounds on the longest way to each result: the count behind the digits that
 * the class comment of {@link BatchNormLayer} promises.
 *
 * <p>An operation rounds by at most u = 2^-53 of its result. So k operations, one after another,
 * put a value off by k u of itself, and a sum by k u of the sum of the absolute terms, if k is the
 * number of operations on the longest way from a term to the sum. A product or quotient adds the
 * counts of its operands, a root halves the count of its operand. Adding to 0, doubling, halving
 * and changing the sign are exact. Terms of u² are left out: no way has 200 operations, and 200² u²
 * is 5e-12 u. The constants of {@link Bound} are rounded up by more than that.
 *
 * <p><b>xmu</b> = (x - mu) - rest rounds twice, by u |xmu| each time: if x is between mu / 2 and 2
 * mu the first difference is exact, otherwise rest is at most 2u of it.
 *
 * <p><b>The mean.</b> mu + rest is off by an error that all rows of xmu share. Let μ and σ² be the
 * exact mean and variance, m the estimate from the quarter of the rows that Graph takes first, and
 * d = m - μ. The error has two parts: that of Σ (x - m) / N, and that of rest, at most u |d| (only
 * if |m| < |d|; otherwise its subtractions are exact). Let s² and t² be the variances in the
 * quarter and in the other rows. The others have the mean μ - d / 3, so
 *
 * <pre>{@code
 * σ²           = s²/4 + d²/3 + 3t²/4                          hence |d| <= √3 σ
 * mean |x - m| <= s/4 + 3/4 √((4d/3)² + t²) <= √(1/4 + 3) σ   by Cauchy and Schwarz
 * }</pre>
 *
 * <p>m is rounded, too. In its sum that is less than 1e-9 σ, even with a first row that is √N σ
 * away. To round it to a double matters only where σ is less than 2^-33 |mu|. All x are then
 * multiples of one unit, near enough to each other for every difference and sum to be exact.
 *
 * <p>In xhat the error is at most {@link #mu} u, as σ * ivar <= 1. The scales of dx and dgamma have
 * a term for it: the error e of xmu adds e * ivar * dbeta to dgamma, and γ ivar (e * ivar) (|xhat|
 * * |dbeta| + |dgamma|) / N to dx. In var it counts only squared.
 */
final class Roundings {
  final double mu; // of σ
  final double var;
  final double out;
  final double dbeta;
  final double dgamma;
  final double dx;
  final double inferDgamma;

  /** The count for n rows in blocks of at most {@code height}, 32 to 64 in Grid. */
  Roundings(int n, int height) {
    int rows = Math.min(n, height);
    int blocks = (n - 1) / height + 1;
    int tree = 32 - Integer.numberOfLeadingZeros(blocks - 1); // log2(blocks), rounded up
    int fours = additions(rows, 4) + tree;
    int pairs = additions(rows, 2) + tree;

    // Forward
    mu = 1.81 * (1 + fours) + 2 * 1.74; // of mean |x - m|: -, Σ; of d: / N, rest
    double xmu = 2; // -, -
    double sq = 2 * xmu + 1;
    var = sq + fours + 1; // Σ, / N
    double sqrtvar = (var + 1) / 2 + 1; // + ε, √
    double ivar = sqrtvar + 1;
    double xhat = xmu + ivar + 1;
    double gammax = xhat + 1;
    // Let M be the largest |out|, and |beta| = b M. Each out is within gammax |out - beta| + mu *
    // (its standard deviation) + |out| <= (gammax (1 + b) + mu √(1 - b²) + 1) M, as its mean is
    // beta
    out = gammax + Math.hypot(gammax, mu) + 1;

    // Backward
    dbeta = fours;
    double sumDoutXmu = xmu + 1 + pairs;
    dgamma = Math.max(sumDoutXmu + ivar + 1, mu);
    double divar = sumDoutXmu + 1;
    double dsqrtvar = (2 * ivar + 1) + divar + 1;
    double dvar = ivar + dsqrtvar + 1;
    double dsq = dvar + 1;
    double dxmu2 = xmu + dsq + 1;
    double dxmu1 = 1 + ivar + 1;
    double dmu = (ivar + 1) + dbeta + 1;
    double dx2 = dmu + 1;
    dx = Math.max(Math.max(dxmu1 + 2, dxmu2 + 2), Math.max(dx2 + 1, mu)); // 2: dx1, dx

    double inferXhat = 1 + (0.5 + 1 + 1) + 1; // -; + ε halved by √, √, 1 /; *
    inferDgamma = inferXhat + 1 + pairs;
  }

  /** In a sum over a block, which takes {@code step} rows at a time and what is left one by one. */
  private static int additions(int rows, int step) {
    int depth = step / 2; // 4 rows: 2 additions one after another; 2 rows: 1
    int steps = rows / step;
    return (steps > 0 ? depth : 0) + steps + rows % step - 1; // the first is to 0
  }
}
