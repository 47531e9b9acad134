package io.github.batchnorm.benchmark;

import io.github.batchnorm.BatchNormGradients;
import java.util.Arrays;

/**
 * Batch norm as a good programmer writes it by hand over double[][] for one program: as few loops
 * as the sums allow, arrays that are made once, factors taken out of the loops, one thread, no
 * check, and the mean as one plain sum, without a correction.
 */
final class HandWritten implements Contender {
  private double[][] x;
  private double[][] dout;
  private double[] gamma;
  private double[] beta;
  private int n;
  private int d;

  private double[] mu; // (D)
  private double[][] xmu; // (N, D)
  private double[] ivar; // (D)
  private double[] scale; // (D) gamma * ivar
  private double[][] out; // (N, D)

  private double[] dbeta; // (D)
  private double[] dgamma; // (D)
  private double[] offset; // (D) of dx, the same in every row
  private double[] slope; // (D) of dx along xmu
  private double[][] dx; // (N, D)

  @Override
  public void prepare(Batch batch) {
    x = batch.x();
    dout = batch.dout();
    gamma = batch.gamma();
    beta = batch.beta();
    n = x.length;
    d = gamma.length;
    mu = new double[d];
    xmu = new double[n][d];
    ivar = new double[d];
    scale = new double[d];
    out = new double[n][d];
    dbeta = new double[d];
    dgamma = new double[d];
    offset = new double[d];
    slope = new double[d];
    dx = new double[n][d];
  }

  @Override
  public void forward() {
    Arrays.fill(mu, 0);
    for (double[] row : x) {
      add(row, mu);
    }
    for (int j = 0; j < d; j++) {
      mu[j] /= n;
    }
    Arrays.fill(ivar, 0);
    for (int i = 0; i < n; i++) {
      centre(x[i], mu, xmu[i], ivar);
    }
    for (int j = 0; j < d; j++) {
      ivar[j] = 1 / Math.sqrt(ivar[j] / n + Batch.EPSILON);
      scale[j] = gamma[j] * ivar[j];
    }
    for (int i = 0; i < n; i++) {
      normalize(xmu[i], scale, beta, out[i]);
    }
  }

  private static void add(double[] row, double[] sum) {
    for (int j = 0; j < sum.length; j++) {
      sum[j] += row[j];
    }
  }

  private static void centre(double[] x, double[] mu, double[] xmu, double[] sumSq) {
    for (int j = 0; j < sumSq.length; j++) {
      double centred = x[j] - mu[j];
      xmu[j] = centred;
      sumSq[j] += centred * centred;
    }
  }

  private static void normalize(double[] xmu, double[] scale, double[] beta, double[] out) {
    for (int j = 0; j < out.length; j++) {
      out[j] = xmu[j] * scale[j] + beta[j];
    }
  }

  @Override
  public void backward() {
    Arrays.fill(dbeta, 0);
    Arrays.fill(dgamma, 0);
    for (int i = 0; i < n; i++) {
      add(dout[i], xmu[i], dbeta, dgamma);
    }
    for (int j = 0; j < d; j++) {
      dgamma[j] *= ivar[j];
      offset[j] = scale[j] * dbeta[j] / n;
      slope[j] = scale[j] * ivar[j] * dgamma[j] / n;
    }
    for (int i = 0; i < n; i++) {
      dx(dout[i], xmu[i], dx[i]);
    }
  }

  private static void add(double[] dout, double[] xmu, double[] dbeta, double[] dgamma) {
    for (int j = 0; j < dbeta.length; j++) {
      dbeta[j] += dout[j];
      dgamma[j] += dout[j] * xmu[j];
    }
  }

  private void dx(double[] dout, double[] xmu, double[] dx) {
    for (int j = 0; j < dx.length; j++) {
      dx[j] = scale[j] * dout[j] - offset[j] - slope[j] * xmu[j];
    }
  }

  @Override
  public double[][] out() {
    return out;
  }

  @Override
  public BatchNormGradients gradients() {
    return new BatchNormGradients(dx, dgamma, dbeta);
  }
}
