package io.github.batchnorm.benchmark;

import org.bytedeco.pytorch.T_TensorTensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * at::native_batch_norm of libtorch with given statistics, through JavaCPP: no autograd, and
 * tensors that are filled before the timing starts, one for each row and one for the table.
 */
class LibtorchInference implements InferenceContender {
  private static final double MOMENTUM = 0.1; // of no effect in inference

  int n;
  int d;
  Tensor[] inputs; // the rows, (1, D), and then the table, (N, D)
  private T_TensorTensorTensor_T[] results; // likewise; out is the first of the three
  private TensorOptional gamma;
  private TensorOptional beta;
  private TensorOptional mean;
  private TensorOptional var;

  LibtorchInference(int threads) {
    torch.set_num_threads(threads);
  }

  @Override
  public void prepare(Batch batch) {
    n = batch.x().length;
    d = batch.gamma().length;
    inputs = new Tensor[n + 1];
    for (int i = 0; i < n; i++) {
      inputs[i] = Libtorch.tensor(new double[][] {batch.x()[i]});
    }
    inputs[n] = Libtorch.tensor(batch.x());
    results = new T_TensorTensorTensor_T[n + 1];
    gamma = new TensorOptional(Tensor.create(batch.gamma(), d));
    beta = new TensorOptional(Tensor.create(batch.beta(), d));
    mean = new TensorOptional(Tensor.create(batch.mean(), d));
    var = new TensorOptional(Tensor.create(batch.var(), d));
  }

  @Override
  public void table() {
    normalize(n);
  }

  @Override
  public void row(int i) {
    normalize(i);
  }

  /** Frees the result of the call before first, the kindest order for the native allocator. */
  Tensor normalize(int k) {
    if (results[k] != null) {
      results[k].close();
    }
    results[k] =
        torch.native_batch_norm(inputs[k], gamma, beta, mean, var, false, MOMENTUM, Batch.EPSILON);
    return results[k].get0();
  }

  @Override
  public double[][] out() {
    if (results[n] != null) {
      return Libtorch.read(results[n].get0(), new double[n][d]);
    }
    double[][] out = new double[n][];
    for (int i = 0; i < n; i++) {
      out[i] = Libtorch.read(results[i].get0(), new double[1][d])[0];
    }
    return out;
  }
}
