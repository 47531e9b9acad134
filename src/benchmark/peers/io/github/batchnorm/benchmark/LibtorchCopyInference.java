package io.github.batchnorm.benchmark;

/**
 * What libtorch costs a program whose data are double[][]: rows are copied into a tensor, the call
 * is made, rows are copied back. The tensors of the input and the Java arrays are made once.
 */
final class LibtorchCopyInference extends LibtorchInference {
  private double[][] x;
  private double[][] out;
  private double[][][] rows; // row i of out alone, (1, D)
  private double[][][] inputRows; // row i of x alone, (1, D)

  LibtorchCopyInference(int threads) {
    super(threads);
  }

  @Override
  public void prepare(Batch batch) {
    super.prepare(batch);
    x = batch.x();
    out = new double[n][d];
    rows = new double[n][][];
    inputRows = new double[n][][];
    for (int i = 0; i < n; i++) {
      rows[i] = new double[][] {out[i]};
      inputRows[i] = new double[][] {x[i]};
    }
  }

  @Override
  public void table() {
    Libtorch.write(x, inputs[n]);
    Libtorch.read(normalize(n), out);
  }

  @Override
  public void row(int i) {
    Libtorch.write(inputRows[i], inputs[i]);
    Libtorch.read(normalize(i), rows[i]);
  }

  @Override
  public double[][] out() {
    return out;
  }
}
