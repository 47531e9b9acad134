package io.github.batchnorm.benchmark;

import io.github.batchnorm.BatchNormGradients;
import io.github.batchnorm.BatchNormLayer;

/** The library, in one of its modes: see {@link Contenders}. */
final class Ours implements Contender {
  private final boolean parallel;
  private final boolean buffers;
  private BatchNormLayer layer;
  private double[][] x;
  private double[][] dout;
  private double[][] out;
  private double[][] dx;
  private BatchNormGradients gradients;

  Ours(String mode) {
    parallel = !mode.contains("-serial");
    buffers = mode.endsWith("-buffers");
  }

  @Override
  public void prepare(Batch batch) {
    x = batch.x();
    dout = batch.dout();
    layer =
        BatchNormLayer.builder(batch.gamma().length)
            .gamma(batch.gamma())
            .beta(batch.beta())
            .epsilon(Batch.EPSILON)
            .parallel(parallel)
            .build();
    if (buffers) {
      out = new double[x.length][x[0].length];
      dx = new double[x.length][x[0].length];
    }
  }

  @Override
  public void forward() {
    out = buffers ? layer.forward(x, out) : layer.forward(x);
  }

  @Override
  public void backward() {
    gradients = buffers ? layer.backward(dout, dx) : layer.backward(dout);
  }

  @Override
  public double[][] out() {
    return out;
  }

  @Override
  public BatchNormGradients gradients() {
    return gradients;
  }
}
