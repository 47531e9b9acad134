package io.github.batchnorm;

import static io.github.batchnorm.TestData.assertClose;
import static io.github.batchnorm.TestData.largest;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Against other implementations: PyTorch 1.13.1 and the formulas of ONNX, in double. */
class ConformanceTest {
  private static final double TOLERANCE = 1e-12;

  static List<Vectors> training() {
    return Vectors.read("torch-train.txt");
  }

  static List<Vectors> sequences() {
    return Vectors.read("torch-sequences.txt");
  }

  static List<Vectors> onnx() {
    return Vectors.read("onnx.txt");
  }

  @Test
  void all_29_cases_are_read() {
    assertThat(training()).hasSize(22);
    assertThat(sequences()).hasSize(5);
    assertThat(onnx()).hasSize(2);
  }

  @ParameterizedTest
  @MethodSource("training")
  void training_agrees_with_pytorch(Vectors torch) {
    BatchNormLayer layer = torch.layer().build();
    double[][] dout = torch.matrix("dout");
    double[][] out = layer.forward(torch.matrix("x"));
    BatchNormGradients gradients = layer.backward(dout);
    BatchNormGraph graph = layer.graph();

    assertClose(out, torch.matrix("out"), TOLERANCE);
    assertClose(graph.mu(), torch.vector("mu"), TOLERANCE);
    assertClose(graph.var(), torch.vector("var"), TOLERANCE);
    assertClose(gradients.dgamma(), torch.vector("dgamma"), TOLERANCE);
    assertClose(gradients.dbeta(), torch.vector("dbeta"), TOLERANCE);
    // with 2 rows dx cancels to O(ε): then the terms that cancel are the scale
    double scale =
        dout.length == 2 ? largestTerm(dout, layer.gamma(), graph) : largest(torch.matrix("dx"));
    assertClose(gradients.dx(), torch.matrix("dx"), TOLERANCE, scale);
  }

  private static double largestTerm(double[][] dout, double[] gamma, BatchNormGraph graph) {
    double largest = 0;
    for (double[] row : dout) {
      for (int j = 0; j < row.length; j++) {
        largest = Math.max(largest, Math.abs(row[j] * gamma[j] * graph.ivar()[j]));
      }
    }
    return largest;
  }

  @ParameterizedTest
  @MethodSource("sequences")
  void running_statistics_and_inference_agree_with_pytorch(Vectors torch) {
    BatchNormLayer.Builder builder = torch.layer();
    BatchNormLayer layer =
        torch.has("momentum cumulative")
            ? builder.cumulativeAverage().build()
            : builder.smoothingFactor(torch.scalar("momentum")).build();
    for (int batch = 0; torch.has("x" + batch); batch++) {
      double[][] out = layer.forward(torch.matrix("x" + batch));
      assertClose(out, torch.matrix("out" + batch), TOLERANCE);
      assertClose(layer.runningMean(), torch.vector("running_mean" + batch), TOLERANCE);
      assertClose(layer.runningVar(), torch.vector("running_var" + batch), TOLERANCE);
      assertThat(layer.batchesTracked()).isEqualTo(batch + 1);
    }
    assertThat(layer.batchesTracked()).isEqualTo((long) torch.scalar("batches"));

    double[][] x = torch.matrix("eval_x");
    assertClose(layer.infer(x), torch.matrix("eval_out"), TOLERANCE);
    BatchNormGradients gradients = layer.inferBackward(x, torch.matrix("eval_dout"));
    assertClose(gradients.dx(), torch.matrix("eval_dx"), TOLERANCE);
    assertClose(gradients.dgamma(), torch.vector("eval_dgamma"), TOLERANCE);
    assertClose(gradients.dbeta(), torch.vector("eval_dbeta"), TOLERANCE);
  }

  @ParameterizedTest
  @MethodSource("sequences")
  void a_layer_made_of_a_state_dict_of_pytorch_infers_the_same(Vectors torch) {
    long batches = (long) torch.scalar("batches");
    double[] runningMean = torch.vector("running_mean" + (batches - 1));
    double[] runningVar = torch.vector("running_var" + (batches - 1));
    BatchNormLayer layer =
        torch.layer().runningStatistics(runningMean, runningVar, batches).build();
    double[][] x = torch.matrix("eval_x");
    assertClose(layer.infer(x), torch.matrix("eval_out"), TOLERANCE);
    assertClose(layer.infer(x[0]), torch.matrix("eval_out")[0], TOLERANCE);
  }

  @Test
  void inference_agrees_with_the_formula_of_onnx() {
    Vectors onnx = onnx().get(0);
    BatchNormLayer layer = withRunningStatistics(onnx).build();
    assertClose(layer.infer(onnx.matrix("x")), onnx.matrix("out"), TOLERANCE);
  }

  private static BatchNormLayer.Builder withRunningStatistics(Vectors onnx) {
    return onnx.layer().runningStatistics(onnx.vector("input_mean"), onnx.vector("input_var"), 0);
  }

  @Test
  void training_agrees_with_the_formula_of_onnx() {
    Vectors onnx = onnx().get(1);
    double[][] out = onnx.layer().build().forward(onnx.matrix("x"));
    assertClose(out, onnx.matrix("out"), TOLERANCE);
  }

  @Test
  void running_statistics_agree_with_the_formula_of_onnx() {
    Vectors onnx = onnx().get(1);
    BatchNormLayer layer =
        withRunningStatistics(onnx)
            .smoothingFactor(1 - onnx.scalar("onnx_momentum"))
            .populationRunningVar(true)
            .build();
    layer.forward(onnx.matrix("x"));
    assertClose(layer.runningMean(), onnx.vector("running_mean"), TOLERANCE);
    assertClose(layer.runningVar(), onnx.vector("running_var"), TOLERANCE);
  }
}
