package io.github.batchnorm.benchmark;

import io.github.batchnorm.BatchNormGradients;

/**
 * What libtorch costs a program whose data are double[][]: rows are copied into a tensor, the call
 * is made, rows are copied back. The tensors of x and dout and the Java arrays are made once.
 */
final class LibtorchCopy extends Libtorch {
  private Batch batch;
  private double[][] out;
  private double[][] dx;
  private double[][] dgamma; // (1, D)
  private double[][] dbeta; // (1, D)

  LibtorchCopy(int threads) {
    super(threads);
  }

  @Override
  public void prepare(Batch batch) {
    super.prepare(batch);
    this.batch = batch;
    int n = batch.x().length;
    int d = batch.gamma().length;
    out = new double[n][d];
    dx = new double[n][d];
    dgamma = new double[1][d];
    dbeta = new double[1][d];
  }

  @Override
  public void forward() {
    write(batch.x(), input[0]);
    super.forward();
    read(forward.get0(), out);
  }

  @Override
  public void backward() {
    write(batch.dout(), input[1]);
    super.backward();
    read(backward.get0(), dx);
    read(backward.get1(), dgamma);
    read(backward.get2(), dbeta);
  }

  @Override
  public double[][] out() {
    return out;
  }

  @Override
  public BatchNormGradients gradients() {
    return new BatchNormGradients(dx, dgamma[0], dbeta[0]);
  }
}
