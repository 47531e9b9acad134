package io.github.batchnorm.benchmark;

import io.github.batchnorm.BatchNormGradients;
import org.bytedeco.javacpp.BoolPointer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.pytorch.T_TensorTensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * at::native_batch_norm and at::native_batch_norm_backward of libtorch, through JavaCPP: no
 * autograd, and tensors that are filled before the timing starts.
 *
 * <p>The results of the call before are freed first, the kindest order for the native allocator.
 */
class Libtorch implements Contender {
  private static final double MOMENTUM = 0.1; // of no effect without running statistics

  final Tensor[] input = new Tensor[2]; // x, dout
  T_TensorTensorTensor_T forward; // out, mean, ivar
  T_TensorTensorTensor_T backward; // dx, dgamma, dbeta
  private final TensorOptional none = new TensorOptional();
  private final BoolPointer all = new BoolPointer(3);
  private TensorOptional gamma;
  private TensorOptional beta;
  private int n;
  private int d;

  Libtorch(int threads) {
    torch.set_num_threads(threads);
    all.put(0, true).put(1, true).put(2, true);
  }

  @Override
  public void prepare(Batch batch) {
    n = batch.x().length;
    d = batch.gamma().length;
    input[0] = tensor(batch.x());
    input[1] = tensor(batch.dout());
    gamma = new TensorOptional(Tensor.create(batch.gamma(), d));
    beta = new TensorOptional(Tensor.create(batch.beta(), d));
  }

  /** Makes a tensor, (N, D), of rows. */
  static Tensor tensor(double[][] rows) {
    Tensor tensor =
        Tensor.create(new double[rows.length * rows[0].length], rows.length, rows[0].length);
    write(rows, tensor);
    return tensor;
  }

  @Override
  public void forward() {
    if (forward != null) {
      forward.close();
    }
    forward =
        torch.native_batch_norm(input[0], gamma, beta, none, none, true, MOMENTUM, Batch.EPSILON);
  }

  @Override
  public void backward() {
    if (backward != null) {
      backward.close();
    }
    try (TensorOptional mean = new TensorOptional(forward.get1());
        TensorOptional ivar = new TensorOptional(forward.get2())) {
      backward =
          torch.native_batch_norm_backward(
              input[1], input[0], gamma, none, none, mean, ivar, true, Batch.EPSILON, all);
    }
  }

  @Override
  public double[][] out() {
    return read(forward.get0(), new double[n][d]);
  }

  @Override
  public BatchNormGradients gradients() {
    return new BatchNormGradients(
        read(backward.get0(), new double[n][d]),
        read(backward.get1(), new double[1][d])[0],
        read(backward.get2(), new double[1][d])[0]);
  }

  /** Copies rows into a tensor, (N, D). */
  static void write(double[][] rows, Tensor tensor) {
    DoublePointer data = tensor.data_ptr_double();
    for (int i = 0; i < rows.length; i++) {
      data.position((long) i * rows[i].length).put(rows[i]);
    }
  }

  /** Copies a tensor, (N, D) or (D), into rows. */
  static double[][] read(Tensor tensor, double[][] rows) {
    DoublePointer data = tensor.data_ptr_double();
    for (int i = 0; i < rows.length; i++) {
      data.position((long) i * rows[i].length).get(rows[i]);
    }
    return rows;
  }
}
