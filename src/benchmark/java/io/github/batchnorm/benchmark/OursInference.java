package io.github.batchnorm.benchmark;

import io.github.batchnorm.BatchNormLayer;

/** The library's infer, in one of its modes: see {@link Contenders}. */
final class OursInference implements InferenceContender {
  private final boolean buffers;
  private BatchNormLayer layer;
  private double[][] x;
  private double[][] out;

  OursInference(String mode) {
    buffers = mode.endsWith("-buffers");
  }

  @Override
  public void prepare(Batch batch) {
    x = batch.x();
    out = new double[x.length][x[0].length];
    layer =
        BatchNormLayer.builder(batch.gamma().length)
            .gamma(batch.gamma())
            .beta(batch.beta())
            .epsilon(Batch.EPSILON)
            .runningStatistics(batch.mean(), batch.var(), 1)
            .build();
  }

  @Override
  public void table() {
    out = buffers ? layer.infer(x, out) : layer.infer(x);
  }

  @Override
  public void row(int i) {
    out[i] = buffers ? layer.infer(x[i], out[i]) : layer.infer(x[i]);
  }

  @Override
  public double[][] out() {
    return out;
  }
}
