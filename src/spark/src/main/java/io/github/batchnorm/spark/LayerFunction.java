package io.github.batchnorm.spark;

import io.github.batchnorm.BatchNormLayer;
import io.github.batchnorm.BatchNormState;
import java.io.Serial;
import org.apache.spark.api.java.function.MapFunction;

/** Inference by a layer, which each worker makes of its state. */
final class LayerFunction implements MapFunction<double[], double[]> {
  @Serial private static final long serialVersionUID = 1;

  private final BatchNormState state;
  private transient volatile BatchNormLayer layer; // made by the first row that needs it

  LayerFunction(BatchNormState state) {
    this.state = state;
  }

  @Override
  public double[] call(double[] row) {
    BatchNormLayer own = layer;
    if (own == null) {
      own = BatchNormLayer.of(state);
      layer = own;
    }
    return own.infer(row);
  }
}
