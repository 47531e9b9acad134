package io.github.batchnorm.example;

import io.github.batchnorm.BatchNormBackwardGraph;
import io.github.batchnorm.BatchNormGraph;
import io.github.batchnorm.BatchNormLayer;
import java.util.List;

/**
 * Both passes of a layer over one mini-batch, with every node: N rows by D columns.
 *
 * @param source says where x and dout come from
 * @param epsilon the layer's
 * @param gamma (D) the layer's
 * @param beta (D) the layer's
 * @param names (D) of the columns, or empty
 * @param x (N, D) the mini-batch
 * @param graph the nodes of the forward pass
 * @param out (N, D) what {@code forward} returned
 * @param dout (N, D) the gradient that arrives
 * @param backwardGraph the nodes of the backward pass
 */
record GraphWalk(
    String source,
    double epsilon,
    double[] gamma,
    double[] beta,
    List<String> names,
    double[][] x,
    BatchNormGraph graph,
    double[][] out,
    double[][] dout,
    BatchNormBackwardGraph backwardGraph) {

  /**
   * Walks forward over x and backward from dout.
   *
   * @param layer walks; its running statistics change
   * @param source says where x and dout come from
   * @param names (D) of the columns, or empty
   * @param x (N, D); becomes part of the result
   * @param dout (N, D); becomes part of the result
   * @throws IllegalArgumentException if the layer refuses x or dout
   */
  static GraphWalk of(
      BatchNormLayer layer, String source, List<String> names, double[][] x, double[][] dout) {
    double[][] out = layer.forward(x);
    return new GraphWalk(
        source,
        layer.epsilon(),
        layer.gamma().clone(),
        layer.beta().clone(),
        names,
        x,
        layer.graph(),
        out,
        dout,
        layer.backwardGraph(dout));
  }

  /** Step 8, which the library computes on the way and does not keep: (N, D). */
  double[][] gammax() {
    double[][] gammax = new double[x.length][gamma.length];
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < gamma.length; j++) {
        gammax[i][j] = gamma[j] * graph.xhat()[i][j];
      }
    }
    return gammax;
  }

  /**
   * Every value by its name.
   *
   * @throws IllegalArgumentException if a value is not finite
   */
  String toJson() {
    return new JsonObject()
        .add("source", source)
        .add("epsilon", epsilon)
        .add("gamma", gamma)
        .add("beta", beta)
        .add("names", names)
        .add("x", x)
        .add("mu", graph.mu())
        .add("xmu", graph.xmu())
        .add("sq", graph.sq())
        .add("var", graph.var())
        .add("sqrtvar", graph.sqrtvar())
        .add("ivar", graph.ivar())
        .add("xhat", graph.xhat())
        .add("gammax", gammax())
        .add("out", out)
        .add("dout", dout)
        .add("dgammax", backwardGraph.dgammax())
        .add("dxhat", backwardGraph.dxhat())
        .add("divar", backwardGraph.divar())
        .add("dxmu1", backwardGraph.dxmu1())
        .add("dsqrtvar", backwardGraph.dsqrtvar())
        .add("dvar", backwardGraph.dvar())
        .add("dsq", backwardGraph.dsq())
        .add("dxmu2", backwardGraph.dxmu2())
        .add("dx1", backwardGraph.dx1())
        .add("dmu", backwardGraph.dmu())
        .add("dx2", backwardGraph.dx2())
        .add("dx", backwardGraph.dx())
        .add("dgamma", backwardGraph.dgamma())
        .add("dbeta", backwardGraph.dbeta())
        .toString();
  }
}
