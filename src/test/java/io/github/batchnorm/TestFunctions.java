package io.github.batchnorm;

import static io.github.batchnorm.Dual.dot;
import static io.github.batchnorm.Dual.of;
import static io.github.batchnorm.Dual.sum;
import static io.github.batchnorm.TestData.gaussian;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * {@link TestFunction}s of 23 kinds, easy and hard to differentiate numerically, with their
 * derivatives.
 */
final class TestFunctions {
  private final List<TestFunction> all = new ArrayList<>();
  private final Random random = new Random(17);

  /** More than 300. */
  static List<TestFunction> all() {
    TestFunctions functions = new TestFunctions();
    for (int seed = 0; seed < 2; seed++) {
      functions.addLosses();
      functions.addActivations();
      functions.addNetworks();
      functions.addBatchNorms();
      functions.addLinearAlgebra();
      functions.addIterations();
      functions.addParameters();
      functions.addKinks();
      functions.addRounded();
    }
    return functions.all;
  }

  private void add(String kind, double[][] x, Function<Dual[][], Dual> loss) {
    all.add(new TestFunction(kind, x, new double[][] {{1}}, at -> new Dual[][] {{loss.apply(at)}}));
  }

  private void addOutputs(String kind, double[][] x, UnaryOperator<Dual[][]> f) {
    Dual[][] out = f.apply(TestFunction.constants(x));
    all.add(new TestFunction(kind, x, gaussian(random, out.length, out[0].length), f));
  }

  private double[][] matrix(int n, int d, double mean, double spread) {
    return TestLayers.map(gaussian(random, n, d), z -> mean + spread * z);
  }

  private static Dual[][] constants(double[][] x) {
    return TestFunction.constants(x);
  }

  private static Dual[][] map(Dual[][] x, UnaryOperator<Dual> f) {
    return Arrays.stream(x)
        .map(row -> Arrays.stream(row).map(f).toArray(Dual[]::new))
        .toArray(Dual[][]::new);
  }

  private static Dual total(Dual[][] x, UnaryOperator<Dual> f) {
    return sum(Arrays.stream(map(x, f)).flatMap(Arrays::stream).toArray(Dual[]::new));
  }

  private static Dual[][] transposed(Dual[][] x) {
    Dual[][] result = new Dual[x[0].length][x.length];
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < x[0].length; j++) {
        result[j][i] = x[i][j];
      }
    }
    return result;
  }

  private static Dual[][] product(Dual[][] a, Dual[][] b) {
    Dual[][] columns = transposed(b);
    return Arrays.stream(a)
        .map(row -> Arrays.stream(columns).map(c -> dot(row, c)).toArray(Dual[]::new))
        .toArray(Dual[][]::new);
  }

  /** log Σ exp, without overflow. */
  private static Dual logSumExp(Dual[] z) {
    Dual largest = Dual.max(z);
    return sum(Arrays.stream(z).map(v -> v.minus(largest).exp()).toArray(Dual[]::new))
        .log()
        .plus(largest);
  }

  private static Dual[] softmax(Dual[] z) {
    Dual largest = Dual.max(z);
    Dual[] e = Arrays.stream(z).map(v -> v.minus(largest).exp()).toArray(Dual[]::new);
    Dual all = sum(e);
    return Arrays.stream(e).map(v -> v.over(all)).toArray(Dual[]::new);
  }

  private static Dual crossEntropy(Dual[][] z) {
    Dual sum = Dual.ZERO;
    for (int i = 0; i < z.length; i++) {
      sum = sum.plus(logSumExp(z[i])).minus(z[i][i % z[i].length]);
    }
    return sum.times(1.0 / z.length);
  }

  private void addLosses() {
    for (double mean : new double[] {0, 1e3, 1e5, 1e6, 1e7, 1e8}) {
      add("softmax cross-entropy", matrix(4, 3, mean, 1), TestFunctions::crossEntropy);
    }
    for (double logit : new double[] {5, 10, 20}) {
      double[][] z = matrix(4, 3, 0, 1);
      for (int i = 0; i < 4; i++) {
        z[i][i % 3] += logit;
      }
      add("confident cross-entropy", z, TestFunctions::crossEntropy);
    }
    double[] p = gaussian(random, 5);
    for (double distance : new double[] {0, 1e-7, 1e-5, 1e-3, 1}) {
      Dual[] q = softmax(constants(new double[][] {p})[0]);
      double[][] x = {p.clone()};
      Arrays.setAll(x[0], k -> p[k] + distance * random.nextGaussian());
      add("KL divergence", x, at -> divergence(q, softmax(at[0])));
    }
    for (double t : new double[] {1, 0.07}) {
      add("contrastive", matrix(4, 3, 0, 1), at -> contrastive(at, t));
    }
    double[][] y = matrix(4, 3, 0, 1);
    Dual[][] target = constants(y);
    add("Poisson", matrix(4, 3, 0, 2), at -> total(at, z -> z.exp().minus(z.times(3))));
    add("Poisson", matrix(4, 3, 10, 1), at -> total(at, z -> z.exp().minus(z.times(3))));
    for (double offset : new double[] {0, 1e4, 1e8}) {
      double[][] x = matrix(4, 3, 0, 2);
      add("Huber", x, at -> each(at, target, TestFunctions::huber).plus(offset));
      add(
          "hinge",
          x,
          at -> each(at, target, (a, b) -> of(1).minus(a.times(b)).relu()).plus(offset));
      add("triplet", x, at -> triplet(at).plus(offset));
    }
    for (double distance : new double[] {1e-4, 1e-3, 1e-1}) {
      double[][] close = matrix(3, 4, 0, distance);
      double[] centre = gaussian(random, 4);
      for (double[] row : close) {
        Arrays.setAll(row, j -> row[j] + centre[j]);
      }
      add("distance by dot products", close, TestFunctions::distances);
    }
  }

  private static Dual divergence(Dual[] q, Dual[] u) {
    Dual sum = Dual.ZERO;
    for (int k = 0; k < q.length; k++) {
      sum = sum.plus(q[k].times(q[k].over(u[k]).log()));
    }
    return sum;
  }

  private static Dual contrastive(Dual[][] x, double t) {
    Dual[][] unit =
        Arrays.stream(x)
            .map(r -> Arrays.stream(r).map(v -> v.over(dot(r, r).sqrt())).toArray(Dual[]::new))
            .toArray(Dual[][]::new);
    Dual[][] similar = map(product(unit, transposed(unit)), s -> s.times(1 / t));
    return crossEntropy(new Dual[][] {similar[1], similar[2], similar[0], similar[3]});
  }

  private static Dual each(Dual[][] a, Dual[][] b, BinaryOperator<Dual> operator) {
    Dual sum = Dual.ZERO;
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[i].length; j++) {
        sum = sum.plus(operator.apply(a[i][j], b[i][j]));
      }
    }
    return sum;
  }

  private static Dual huber(Dual a, Dual b) {
    Dual e = a.minus(b);
    return Math.abs(e.value()) < 1 ? e.squared().times(0.5) : e.abs().plus(-0.5);
  }

  private static Dual triplet(Dual[][] x) {
    return distance(x[0], x[1])
        .minus(distance(x[0], x[2]))
        .plus(1)
        .relu()
        .plus(distance(x[3], x[1]).minus(distance(x[3], x[2])).plus(2).relu());
  }

  private static Dual distance(Dual[] a, Dual[] b) {
    Dual sum = Dual.ZERO;
    for (int k = 0; k < a.length; k++) {
      sum = sum.plus(a[k].minus(b[k]).squared());
    }
    return sum.sqrt();
  }

  private static Dual distances(Dual[][] x) {
    Dual sum = Dual.ZERO;
    for (Dual[] a : x) {
      for (Dual[] b : x) {
        sum = sum.plus(dot(a, a).plus(dot(b, b)).minus(dot(a, b).times(2)));
      }
    }
    return sum;
  }

  private void addActivations() {
    for (double spread : new double[] {1e-6, 1e-2, 1, 10, 1e3}) {
      addOutputs("activation", matrix(3, 3, 0, spread), at -> map(at, Dual::tanh));
      addOutputs("activation", matrix(3, 3, 0, spread), at -> map(at, Dual::sigmoid));
      addOutputs("activation", matrix(3, 3, 0, spread), at -> map(at, z -> z.times(z.sigmoid())));
      add(
          "activation",
          matrix(3, 3, 0, spread),
          at -> total(at, z -> z.squared().times(-0.5).exp()));
      add("activation", matrix(3, 3, 0, spread), at -> total(at, Dual::relu).times(1e-6).plus(1e6));
      addOutputs("activation", matrix(3, 3, 0, spread), at -> map(at, TestFunctions::gelu));
    }
  }

  private static Dual gelu(Dual z) {
    Dual cube = z.squared().times(z).times(0.044715);
    return z.plus(cube).times(0.7978845608).tanh().plus(1).times(z).times(0.5);
  }

  private void addNetworks() {
    double[][] w1 = matrix(3, 4, 0, 0.6);
    double[][] w2 = matrix(4, 3, 0, 0.5);
    double[][] w3 = matrix(4, 4, 0, 0.5);
    double[][] x = matrix(5, 3, 0, 1);
    for (double spread : new double[] {1e-4, 1, 1e4}) {
      double[][] scaled = matrix(5, 3, 0, spread);
      addOutputs("attention", scaled, at -> attention(at, constants(w1)));
      addOutputs("RNN", scaled, at -> recurrent(at, constants(w1), constants(w3)));
    }
    add("attention", w1, w -> crossEntropy(attention(constants(x), w)));
    add(
        "RNN",
        w3,
        w -> crossEntropy(product(recurrent(constants(x), constants(w1), w), constants(w2))));
    for (int depth : new int[] {2, 6}) {
      for (double mean : new double[] {0, 1e3}) {
        double[][] wide = matrix(5, 4, mean, 1);
        add(
            "residual chain with batch norm",
            wide,
            at -> crossEntropy(residual(at, constants(w3), depth)));
        add(
            "residual chain with batch norm",
            w3,
            w -> crossEntropy(residual(constants(wide), w, depth)));
      }
    }
  }

  private static Dual[][] attention(Dual[][] x, Dual[][] w) {
    Dual[][] q = product(x, w);
    Dual[][] scores = map(product(q, transposed(q)), s -> s.times(0.5));
    Dual[][] weights = Arrays.stream(scores).map(TestFunctions::softmax).toArray(Dual[][]::new);
    return product(weights, q);
  }

  private static Dual[][] recurrent(Dual[][] x, Dual[][] w, Dual[][] u) {
    Dual[][] h = {{Dual.ZERO, Dual.ZERO, Dual.ZERO, Dual.ZERO}};
    for (Dual[] row : x) {
      Dual[][] in = product(new Dual[][] {row}, w);
      Dual[][] back = product(h, u);
      Dual[] next = new Dual[4];
      Arrays.setAll(next, k -> in[0][k].plus(back[0][k]).tanh());
      h = new Dual[][] {next};
    }
    return h;
  }

  private static Dual[][] residual(Dual[][] x, Dual[][] w, int depth) {
    Dual[][] out = x;
    for (int k = 0; k < depth; k++) {
      Dual[][] branch = product(map(batchNorm(out, 1e-5), Dual::relu), w);
      Dual[][] before = out;
      out = new Dual[x.length][];
      for (int i = 0; i < x.length; i++) {
        out[i] = before[i].clone();
        for (int j = 0; j < 4; j++) {
          out[i][j] = out[i][j].plus(branch[i][j]);
        }
      }
    }
    return out;
  }

  /** With the mean and the variance taken in two passes. */
  private static Dual[][] batchNorm(Dual[][] x, double eps) {
    Dual[][] columns = transposed(x);
    Dual[][] out = new Dual[columns.length][];
    for (int j = 0; j < columns.length; j++) {
      Dual mean = sum(columns[j]).times(1.0 / x.length);
      Dual[] xmu = Arrays.stream(columns[j]).map(v -> v.minus(mean)).toArray(Dual[]::new);
      Dual deviation = dot(xmu, xmu).times(1.0 / x.length).plus(eps).sqrt();
      out[j] = Arrays.stream(xmu).map(v -> v.over(deviation)).toArray(Dual[]::new);
    }
    return transposed(out);
  }

  private void addBatchNorms() {
    for (double mean : new double[] {0, 1e2, 1e4, 1e6, 1e7}) {
      addOutputs("batch norm in two passes", matrix(5, 2, mean, 1), at -> batchNorm(at, 1e-5));
      add(
          "batch norm in two passes",
          matrix(5, 3, mean, 1),
          at -> crossEntropy(batchNorm(at, 1e-5)));
    }
    for (double mean : new double[] {0, 1e2, 1e3, 1e4, 1e5}) {
      add("variance in one pass", matrix(6, 1, mean, 1), TestFunctions::variance);
    }
  }

  private static Dual variance(Dual[][] x) {
    Dual mean = total(x, v -> v).times(1.0 / x.length);
    return total(x, Dual::squared).times(1.0 / x.length).minus(mean.squared());
  }

  private void addLinearAlgebra() {
    double[][] b = matrix(4, 1, 0, 1);
    for (double diagonal : new double[] {0, 1e-2, 1, 1e3}) {
      double[][] a = matrix(4, 4, 0, 1);
      for (int k = 0; k < 4; k++) {
        a[k][k] += diagonal;
      }
      addOutputs("linear algebra", a, at -> solve(at, constants(b)));
      add("linear algebra", a, at -> logDeterminant(product(at, transposed(at))));
    }
    double[][] hilbert = new double[5][5];
    for (int i = 0; i < 5; i++) {
      int row = i + 1;
      Arrays.setAll(hilbert[i], j -> 1.0 / (row + j));
    }
    add("linear algebra", hilbert, at -> logDeterminant(at));
  }

  /** Gauss, without pivots. */
  private static Dual[][] solve(Dual[][] a, Dual[][] b) {
    Dual[][] m = map(a, v -> v);
    Dual[][] x = map(b, v -> v);
    int n = a.length;
    for (int k = 0; k < n; k++) {
      for (int i = 0; i < n; i++) {
        if (i != k) {
          Dual factor = m[i][k].over(m[k][k]);
          for (int j = k; j < n; j++) {
            m[i][j] = m[i][j].minus(factor.times(m[k][j]));
          }
          x[i][0] = x[i][0].minus(factor.times(x[k][0]));
        }
      }
    }
    for (int k = 0; k < n; k++) {
      x[k][0] = x[k][0].over(m[k][k]);
    }
    return x;
  }

  private static Dual logDeterminant(Dual[][] a) {
    Dual[][] m = map(a, v -> v);
    Dual sum = Dual.ZERO;
    for (int k = 0; k < a.length; k++) {
      sum = sum.plus(m[k][k].log());
      for (int i = k + 1; i < a.length; i++) {
        Dual factor = m[i][k].over(m[k][k]);
        for (int j = k; j < a.length; j++) {
          m[i][j] = m[i][j].minus(factor.times(m[k][j]));
        }
      }
    }
    return sum;
  }

  private void addIterations() {
    double[][] p = {{1.5 + random.nextDouble(), 0.5 + random.nextDouble(), 3}};
    add("iterative solver", p, at -> newton(at[0]));
    for (double stop : new double[] {1e-4, 1e-8, 1e-12}) {
      add("iterative solver", p, at -> fixedPoint(at[0], stop));
    }
    double[][] a = matrix(3, 3, 0, 1);
    add("iterative solver", a, at -> largestEigenvalue(at));
    for (int steps : new int[] {10, 25}) {
      add(
          "recursion",
          new double[][] {{0.2 + 0.6 * random.nextDouble(), 3.7}},
          at -> logistic(at[0], steps));
      add("recursion", new double[][] {{1.1, random.nextDouble()}}, at -> doubled(at[0], steps));
    }
  }

  /** √p0 and the root of p1. */
  private static Dual newton(Dual[] p) {
    Dual root = of(1);
    for (int k = 0; k < 30; k++) {
      root = root.plus(p[0].over(root)).times(0.5);
    }
    return root.times(p[1]).plus(p[2].log());
  }

  /** y = sin(0.4 p1 y + p0) + p2 / 10, until two steps differ by less than so much. */
  private static Dual fixedPoint(Dual[] p, double stop) {
    Dual y = of(0);
    double change = 1;
    while (Math.abs(change) > stop) {
      Dual next = y.times(p[1]).times(0.4).plus(p[0]).sin().plus(p[2].times(0.1));
      change = next.value() - y.value();
      y = next;
    }
    return y;
  }

  private static Dual largestEigenvalue(Dual[][] a) {
    Dual[][] m = product(a, transposed(a));
    Dual[][] v = {{of(1)}, {of(0.5)}, {of(0.25)}};
    Dual length = of(0);
    for (int k = 0; k < 60; k++) {
      Dual[][] next = product(m, v);
      Dual[] column = transposed(next)[0];
      Dual size = dot(column, column).sqrt();
      length = size;
      v = map(next, e -> e.over(size));
    }
    return length;
  }

  private static Dual logistic(Dual[] p, int steps) {
    Dual y = p[0];
    for (int k = 0; k < steps; k++) {
      y = y.times(of(1).minus(y)).times(p[1]);
    }
    return y;
  }

  private static Dual doubled(Dual[] p, int steps) {
    Dual y = p[1];
    for (int k = 0; k < steps; k++) {
      y = y.times(2).sin().times(p[0]);
    }
    return y;
  }

  private void addParameters() {
    for (double size : new double[] {1e-300, 1e-100, 1e-30, 1e-8, 1e8, 1e30, 1e100}) {
      double[][] p = {{size * (0.5 + random.nextDouble()), 2 + random.nextGaussian() / 4}};
      add("tiny and huge parameters", p, at -> at[0][0].log().plus(at[0][1].log()));
      add("tiny and huge parameters", p, at -> at[0][0].sqrt());
      if (size > 1e-150 && size < 1e150) {
        add("tiny and huge parameters", p, at -> of(1).over(at[0][0]));
      }
      add("tiny and huge parameters", p, at -> at[0][0].log().times(at[0][1]).tanh());
      addOutputs(
          "tiny and huge parameters",
          matrix(4, 2, 0, size),
          at -> map(at, v -> v.times(1 / size).sin()));
    }
    for (double offset : new double[] {1e6, 1e9, 1e11}) {
      add(
          "weak beside an offset",
          new double[][] {{0.5, 0.5}},
          at -> at[0][1].times(1e8).plus(at[0][0]).plus(offset));
    }
    double[][] outlier = matrix(6, 1, 0, 1);
    outlier[2][0] = 1e6;
    addOutputs("outlier in a column", outlier, at -> map(at, Dual::sin));
    addOutputs("outlier in a column", outlier, at -> map(at, v -> v.squared().plus(1).log()));
  }

  private void addKinks() {
    for (double distance : new double[] {0, 1e-12, 1e-9, 1e-6, 1e-4}) {
      double[][] x = matrix(3, 3, 0, 1);
      x[1][0] = distance;
      x[2][1] = -distance;
      add("kink", x, at -> total(at, v -> v.abs().plus(v.sin())));
      addOutputs("kink", x, at -> map(at, v -> v.relu().plus(v.times(0.3))));
      x[0][2] = x[0][1] + distance;
      add(
          "kink",
          x,
          at -> Dual.max(at[0]).plus(Dual.max(at[1])).squared().plus(total(at, v -> v.times(2))));
    }
  }

  private void addRounded() {
    UnaryOperator<Dual> toFloat = v -> v.rounded(d -> (float) d);
    double[][] w = matrix(3, 3, 0, 1);
    add(
        "float inside",
        matrix(4, 3, 0, 1),
        at -> crossEntropy(map(product(at, constants(w)), toFloat)));
    addOutputs(
        "float inside",
        matrix(4, 3, 0, 1),
        at -> map(product(map(at, toFloat), constants(w)), Dual::tanh));
    addOutputs(
        "float inside", matrix(4, 3, 0, 1), at -> map(at, v -> v.sin().rounded(d -> (float) d)));
    add("float inside", matrix(4, 3, 0, 1), at -> total(at, v -> toFloat.apply(v.exp()).log1p()));
  }
}
