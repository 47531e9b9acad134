package io.github.batchnorm.benchmark;

/** Inference as everybody writes it by hand: one loop over a row, no check, one thread. */
final class HandWrittenInference implements InferenceContender {
  private final boolean buffers;
  private double[][] x;
  private double[] mean;
  private double[] ivar;
  private double[] gamma;
  private double[] beta;
  private double[][] out;

  HandWrittenInference(String mode) {
    buffers = mode.endsWith("-buffers");
  }

  @Override
  public void prepare(Batch batch) {
    x = batch.x();
    mean = batch.mean();
    gamma = batch.gamma();
    beta = batch.beta();
    ivar = new double[mean.length];
    for (int j = 0; j < ivar.length; j++) {
      ivar[j] = 1 / Math.sqrt(batch.var()[j] + Batch.EPSILON);
    }
    out = new double[x.length][mean.length];
  }

  @Override
  public void table() {
    if (!buffers) {
      out = new double[x.length][];
    }
    for (int i = 0; i < x.length; i++) {
      row(i);
    }
  }

  @Override
  public void row(int i) {
    if (!buffers) {
      out[i] = new double[mean.length];
    }
    normalize(x[i], out[i]);
  }

  private void normalize(double[] x, double[] out) {
    for (int j = 0; j < out.length; j++) {
      out[j] = gamma[j] * ((x[j] - mean[j]) * ivar[j]) + beta[j];
    }
  }

  @Override
  public double[][] out() {
    return out;
  }
}
