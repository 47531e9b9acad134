package consumer;

import io.github.batchnorm.BatchNormGradients;
import io.github.batchnorm.BatchNormGraph;
import io.github.batchnorm.BatchNormLayer;
import java.util.Arrays;

/** Trains and infers with the jar; its argument is the name of the module the jar should be in. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    String module = String.valueOf(BatchNormLayer.class.getModule().getName());
    require(module.equals(args[0]), "the library is in module " + module);

    BatchNormLayer layer = BatchNormLayer.builder(1).epsilon(1).build();
    double[][] out = layer.forward(new double[][] {{1}, {1}, {1}});
    require(Arrays.deepEquals(out, new double[][] {{0}, {0}, {0}}), Arrays.deepToString(out));
    BatchNormGradients gradients = layer.backward(new double[][] {{1}, {2}, {6}});
    require(gradients.dbeta()[0] == 9, Arrays.toString(gradients.dbeta()));
    BatchNormGraph graph = layer.graph();
    require(graph.mu()[0] == 1, graph.toString());
    System.out.println("consumer: trained a layer of module " + module);
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalStateException(otherwise);
    }
  }
}
