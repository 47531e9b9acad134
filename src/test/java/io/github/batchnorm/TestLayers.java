package io.github.batchnorm;

import static io.github.batchnorm.TestData.combine;
import static io.github.batchnorm.TestData.gaussian;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;

/**
 * Layers of neural networks with backward passes written by hand, to try {@link GradientCheck} on.
 * Each knows the mistakes that people make in its backward pass, and makes one if told so.
 */
final class TestLayers {
  private TestLayers() {}

  /** Keeps what its backward pass needs; gradients are those of the last backward pass. */
  abstract static class Layer {
    /** Each a matrix; one row stands for a vector. */
    final List<double[][]> parameters = new ArrayList<>();

    /** One for each parameter. */
    final List<double[][]> gradients = new ArrayList<>();

    private final List<String> mistakes;
    private String mistake = "";

    Layer(String... mistakes) {
      this.mistakes = List.of(mistakes);
    }

    abstract double[][] forward(double[][] x);

    /** From the derivative of the loss with respect to the output to that with respect to x. */
    abstract double[][] backward(double[][] dout);

    List<String> mistakes() {
      return mistakes;
    }

    void make(String mistake) {
      this.mistake = mistake;
    }

    final boolean makes(String mistake) {
      return this.mistake.equals(mistake);
    }

    final double[][] parameter(double[][] initial) {
      parameters.add(initial);
      gradients.add(new double[initial.length][initial[0].length]);
      return initial;
    }

    final void gradient(int parameter, double[][] gradient) {
      gradients.set(parameter, gradient);
    }
  }

  /** out = x * w + b. */
  static final class Dense extends Layer {
    private final double[][] w;
    private final double[][] b;
    private double[][] x;

    Dense(Random random, int inputs, int outputs) {
      super("w is averaged over the batch", "b is averaged over the batch", "b of the first row");
      w = parameter(map(gaussian(random, inputs, outputs), v -> v / Math.sqrt(inputs)));
      b = parameter(map(gaussian(random, 1, outputs), v -> v / 10));
    }

    @Override
    double[][] forward(double[][] x) {
      this.x = x;
      return perColumn(product(x, w), b[0], Double::sum);
    }

    @Override
    double[][] backward(double[][] dout) {
      double n = dout.length;
      double[] db = makes("b of the first row") ? dout[0].clone() : columnSums(dout);
      gradient(
          0,
          map(
              product(transposed(x), dout),
              v -> makes("w is averaged over the batch") ? v / n : v));
      gradient(1, map(new double[][] {db}, v -> makes("b is averaged over the batch") ? v / n : v));
      return product(dout, transposed(w));
    }
  }

  /** out = tanh(x * w) * w: the same weights twice, so that two branches add. */
  static final class Tied extends Layer {
    private final double[][] w;
    private double[][] x;
    private double[][] hidden;

    Tied(Random random, int features) {
      super("only the last use counts", "only the first use counts");
      w = parameter(map(gaussian(random, features, features), v -> v / Math.sqrt(features)));
    }

    @Override
    double[][] forward(double[][] x) {
      this.x = x;
      hidden = map(product(x, w), Math::tanh);
      return product(hidden, w);
    }

    @Override
    double[][] backward(double[][] dout) {
      double[][] dhidden = product(dout, transposed(w));
      double[][] dz = combine(dhidden, hidden, (d, h) -> d * (1 - h * h));
      double[][] first = product(transposed(x), dz);
      double[][] last = product(transposed(hidden), dout);
      double useOfFirst = makes("only the last use counts") ? 0 : 1;
      double useOfLast = makes("only the first use counts") ? 0 : 1;
      gradient(0, combine(first, last, (f, l) -> useOfFirst * f + useOfLast * l));
      return product(dz, transposed(w));
    }
  }

  /**
   * out = x + a row of the table for each row of x; two rows are taken again and again, the others
   * never.
   */
  static final class Embedding extends Layer {
    private final double[][] table;

    Embedding(Random random, int rows, int features) {
      super("the last use overwrites the others");
      table = parameter(gaussian(random, rows, features));
    }

    private int index(int i) {
      return i * i % (table.length - 1);
    }

    @Override
    double[][] forward(double[][] x) {
      double[][] out = new double[x.length][];
      Arrays.setAll(out, i -> combine(x[i], table[index(i)], Double::sum));
      return out;
    }

    @Override
    double[][] backward(double[][] dout) {
      double[][] dtable = new double[table.length][table[0].length];
      for (int i = 0; i < dout.length; i++) {
        double[] sum = combine(dtable[index(i)], dout[i], Double::sum);
        dtable[index(i)] = makes("the last use overwrites the others") ? dout[i].clone() : sum;
      }
      gradient(0, dtable);
      return dout;
    }
  }

  /** Normalizes columns (batch norm) or rows (layer norm), then scales and shifts the columns. */
  static final class Norm extends Layer {
    private static final double EPS = 1e-5;
    private final boolean ofRows;
    private final double[][] gamma;
    private final double[][] beta;
    private double[] ivar;
    private double[][] xhat; // of layer norm transposed

    Norm(Random random, int features, boolean ofRows) {
      super(
          "no variance path",
          "variance path with the wrong sign",
          "variance path twice as large",
          "N - 1 for N",
          "no mean path",
          "no gamma");
      this.ofRows = ofRows;
      gamma = parameter(map(gaussian(random, 1, features), v -> 1.5 + v / 4));
      beta = parameter(gaussian(random, 1, features));
    }

    Norm withoutScale() {
      Arrays.fill(gamma[0], 0);
      return this;
    }

    private double[][] turned(double[][] matrix) {
      return ofRows ? transposed(matrix) : matrix;
    }

    @Override
    double[][] forward(double[][] x) {
      double[][] at = turned(x);
      double n = at.length;
      double[] mu = combine(columnSums(at), columnSums(at), (sum, same) -> sum / n);
      double[][] xmu = perColumn(at, mu, (a, m) -> a - m);
      double[] squares = columnSums(map(xmu, a -> a * a));
      ivar = combine(squares, squares, (sum, same) -> 1 / Math.sqrt(sum / n + EPS));
      xhat = perColumn(xmu, ivar, (a, s) -> a * s);
      return perColumn(perColumn(turned(xhat), gamma[0], (a, g) -> a * g), beta[0], Double::sum);
    }

    @Override
    double[][] backward(double[][] dout) {
      gradient(0, new double[][] {columnSums(combine(dout, turned(xhat), (d, a) -> d * a))});
      gradient(1, new double[][] {columnSums(dout)});
      double[][] dxhat = turned(perColumn(dout, gamma[0], (d, g) -> makes("no gamma") ? d : d * g));
      double n = dxhat.length;
      double variancePath = variancePath(n);
      double meanPath = makes("no mean path") ? 0 : 1;
      double[] slope = columnSums(combine(dxhat, xhat, (d, a) -> d * a)); // (D)
      double[][] along = perColumn(xhat, slope, (a, s) -> variancePath * a * s / n);
      double[][] across = perColumn(dxhat, columnSums(dxhat), (d, sum) -> d - meanPath * sum / n);
      return turned(perColumn(combine(across, along, (a, b) -> a - b), ivar, (a, s) -> a * s));
    }

    /** The factor of what comes by way of the variance, 1 if there is no mistake. */
    private double variancePath(double n) {
      if (makes("no variance path")) {
        return 0;
      } else if (makes("variance path with the wrong sign")) {
        return -1;
      } else if (makes("variance path twice as large")) {
        return 2;
      }
      return makes("N - 1 for N") ? n / (n - 1) : 1;
    }
  }

  /** A function of each value, and its derivative by the value. */
  enum Function {
    SIGMOID(v -> 1 / (1 + Math.exp(-v)), v -> 1 / (2 + Math.exp(v) + Math.exp(-v))),
    TANH(Math::tanh, v -> 1 - Math.tanh(v) * Math.tanh(v)),
    RELU(v -> Math.max(v, 0), v -> v > 0 ? 1 : 0),
    LEAKY(v -> v > 0 ? v : v / 100, v -> v > 0 ? 1 : 0.01),
    ELU(v -> v > 0 ? v : Math.expm1(v), v -> v > 0 ? 1 : Math.exp(v)),
    SOFTPLUS(v -> Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))), v -> 1 / (1 + Math.exp(-v))),
    ABS(Math::abs, Math::signum);

    final DoubleUnaryOperator value;
    final DoubleUnaryOperator slope;

    Function(DoubleUnaryOperator value, DoubleUnaryOperator slope) {
      this.value = value;
      this.slope = slope;
    }
  }

  static final class Activation extends Layer {
    private final Function function;
    private double[][] x;

    Activation(Function function) {
      super("slope at the output", "slope at dout", "slope forgotten", "slope of the row above");
      this.function = function;
    }

    @Override
    double[][] forward(double[][] x) {
      this.x = x;
      return map(x, function.value);
    }

    @Override
    double[][] backward(double[][] dout) {
      double[][] at = x;
      if (makes("slope at the output")) {
        at = map(x, function.value);
      } else if (makes("slope at dout")) {
        at = dout;
      } else if (makes("slope forgotten")) {
        return dout;
      } else if (makes("slope of the row above")) {
        at = x.clone();
        System.arraycopy(x, 0, at, 1, x.length - 1);
      }
      return combine(dout, at, (d, a) -> d * function.slope.applyAsDouble(a));
    }
  }

  /** The larger of two neighbouring columns. */
  static final class MaxPool extends Layer {
    private double[][] x;

    MaxPool() {
      super("to both", "to the smaller");
    }

    @Override
    double[][] forward(double[][] x) {
      this.x = x;
      double[][] out = new double[x.length][x[0].length / 2];
      for (int i = 0; i < x.length; i++) {
        double[] row = x[i];
        Arrays.setAll(out[i], j -> Math.max(row[2 * j], row[2 * j + 1]));
      }
      return out;
    }

    @Override
    double[][] backward(double[][] dout) {
      double[][] dx = new double[x.length][x[0].length];
      for (int i = 0; i < x.length; i++) {
        for (int j = 0; j < dx[i].length; j++) {
          boolean isLarger = x[i][j] > x[i][j ^ 1];
          boolean passes = makes("to both") || isLarger != makes("to the smaller");
          dx[i][j] = passes ? dout[i][j / 2] : 0;
        }
      }
      return dx;
    }
  }

  /** A mask drawn once. */
  static final class Dropout extends Layer {
    private final double[][] mask;

    Dropout(Random random, int rows, int features) {
      super("mask forgotten", "scale forgotten", "the mask of another row");
      mask = map(gaussian(random, rows, features), v -> v > -0.7 ? 1 / 0.75 : 0);
    }

    @Override
    double[][] forward(double[][] x) {
      return combine(x, mask, (a, m) -> a * m);
    }

    @Override
    double[][] backward(double[][] dout) {
      double[][] at = mask.clone();
      if (makes("the mask of another row")) {
        System.arraycopy(mask, 0, at, 1, mask.length - 1);
      }
      return combine(
          dout,
          at,
          (d, m) ->
              makes("mask forgotten") ? d : makes("scale forgotten") ? d * Math.signum(m) : d * m);
    }
  }

  /** out = softmax(q * kᵀ / √D) * v, with q, k, v = x * wq, x * wk, x * wv: rows attend to rows. */
  static final class Attention extends Layer {
    private final double[][] wq;
    private final double[][] wk;
    private final double[][] wv;
    private double[][] x;
    private double[][] q;
    private double[][] k;
    private double[][] v;
    private double[][] weights; // (N, N)

    Attention(Random random, int features) {
      super("softmax taken for the identity", "k for q", "scale forgotten", "v is a constant");
      double size = 1 / Math.sqrt(features);
      wq = parameter(map(gaussian(random, features, features), w -> w * size));
      wk = parameter(map(gaussian(random, features, features), w -> w * size));
      wv = parameter(map(gaussian(random, features, features), w -> w * size));
    }

    private double scale() {
      return 1 / Math.sqrt(x[0].length);
    }

    @Override
    double[][] forward(double[][] x) {
      this.x = x;
      q = product(x, wq);
      k = product(x, wk);
      v = product(x, wv);
      weights = softmax(map(product(q, transposed(k)), s -> s * scale()));
      return product(weights, v);
    }

    @Override
    double[][] backward(double[][] dout) {
      double[][] dweights = product(dout, transposed(v));
      double[][] dv = product(transposed(weights), dout);
      double[][] dscores = new double[x.length][];
      for (int i = 0; i < x.length; i++) {
        double sum = dot(weights[i], dweights[i]);
        double mean = makes("softmax taken for the identity") ? 0 : sum;
        dscores[i] = combine(weights[i], dweights[i], (w, d) -> w * (d - mean));
      }
      double[][] scaled = map(dscores, d -> makes("scale forgotten") ? d : d * scale());
      double[][] dq = product(scaled, makes("k for q") ? q : k);
      double[][] dk = product(transposed(scaled), q);
      double[][] back = makes("v is a constant") ? map(dv, d -> 0) : dv;
      gradient(0, product(transposed(x), dq));
      gradient(1, product(transposed(x), dk));
      gradient(2, product(transposed(x), dv));
      double[][] dx =
          combine(product(dq, transposed(wq)), product(dk, transposed(wk)), Double::sum);
      return combine(dx, product(back, transposed(wv)), Double::sum);
    }
  }

  /** Layers one after the other. */
  static class Chain extends Layer {
    final List<Layer> layers;

    Chain(Layer... layers) {
      this.layers = List.of(layers);
      this.layers.forEach(layer -> parameters.addAll(layer.parameters));
    }

    @Override
    double[][] forward(double[][] x) {
      double[][] out = x;
      for (Layer layer : layers) {
        out = layer.forward(out);
      }
      return out;
    }

    @Override
    double[][] backward(double[][] dout) {
      double[][] dx = dout;
      for (int k = layers.size() - 1; k >= 0; k--) {
        dx = layers.get(k).backward(dx);
      }
      gradients.clear();
      layers.forEach(layer -> gradients.addAll(layer.gradients));
      return dx;
    }

    /** Each names the layer that makes the mistake. */
    @Override
    List<String> mistakes() {
      List<String> all = new ArrayList<>(super.mistakes());
      for (int k = 0; k < layers.size(); k++) {
        for (String mistake : layers.get(k).mistakes()) {
          all.add(k + " " + layers.get(k).getClass().getSimpleName() + ": " + mistake);
        }
      }
      return all;
    }

    @Override
    void make(String mistake) {
      super.make(mistake);
      for (int k = 0; k < layers.size(); k++) {
        String name = k + " " + layers.get(k).getClass().getSimpleName() + ": ";
        layers.get(k).make(mistake.startsWith(name) ? mistake.substring(name.length()) : "");
      }
    }
  }

  /** out = x + chain(x). */
  static final class Residual extends Layer {
    private final Chain inner;

    Residual(Layer... layers) {
      super("the short cut is forgotten", "the long way is forgotten");
      inner = new Chain(layers);
      parameters.addAll(inner.parameters);
    }

    @Override
    double[][] forward(double[][] x) {
      return combine(x, inner.forward(x), Double::sum);
    }

    @Override
    double[][] backward(double[][] dout) {
      double[][] around = inner.backward(dout);
      gradients.clear();
      gradients.addAll(inner.gradients);
      if (makes("the short cut is forgotten")) {
        return around;
      }
      return makes("the long way is forgotten") ? dout : combine(dout, around, Double::sum);
    }
  }

  static double[][] map(double[][] values, DoubleUnaryOperator operator) {
    double[][] result = new double[values.length][];
    for (int i = 0; i < values.length; i++) {
      result[i] = new double[values[i].length];
      for (int j = 0; j < values[i].length; j++) {
        result[i][j] = operator.applyAsDouble(values[i][j]);
      }
    }
    return result;
  }

  static double[][] perColumn(double[][] values, double[] row, DoubleBinaryOperator operator) {
    double[][] result = new double[values.length][];
    Arrays.setAll(result, i -> combine(values[i], row, operator));
    return result;
  }

  static double[][] transposed(double[][] values) {
    double[][] result = new double[values[0].length][values.length];
    for (int i = 0; i < values.length; i++) {
      for (int j = 0; j < values[i].length; j++) {
        result[j][i] = values[i][j];
      }
    }
    return result;
  }

  static double[][] product(double[][] a, double[][] b) {
    double[][] result = new double[a.length][b[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int k = 0; k < b.length; k++) {
        for (int j = 0; j < b[k].length; j++) {
          result[i][j] += a[i][k] * b[k][j];
        }
      }
    }
    return result;
  }

  static double[] columnSums(double[][] values) {
    double[] sums = new double[values[0].length];
    for (double[] row : values) {
      for (int j = 0; j < sums.length; j++) {
        sums[j] += row[j];
      }
    }
    return sums;
  }

  static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int j = 0; j < a.length; j++) {
      sum += a[j] * b[j];
    }
    return sum;
  }

  static double[][] softmax(double[][] scores) {
    double[][] result = new double[scores.length][];
    for (int i = 0; i < scores.length; i++) {
      double largest = Arrays.stream(scores[i]).max().orElseThrow();
      double[] powers = Arrays.stream(scores[i]).map(s -> Math.exp(s - largest)).toArray();
      double sum = Arrays.stream(powers).sum();
      result[i] = Arrays.stream(powers).map(p -> p / sum).toArray();
    }
    return result;
  }
}
