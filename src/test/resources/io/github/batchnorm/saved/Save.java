import io.github.batchnorm.BatchNormLayer;
import io.github.batchnorm.BatchNormState;
import io.github.batchnorm.ColumnStatistics;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Collectors;

/**
 * Trains three layers with the library on the class path, and saves what every later version must
 * load: {@code java -cp batchnorm-VERSION.jar Save.java FOLDER}. Refuses a folder that exists: a
 * file of a version that is out never changes.
 */
final class Save {
  private static final int FEATURES = 3;

  private final Random random = new Random(1);
  private final StringBuilder expected = new StringBuilder();
  private final Path folder;

  private Save(Path folder) {
    this.folder = folder;
  }

  public static void main(String[] args) throws IOException {
    new Save(Files.createDirectory(Path.of(args[0]))).all();
  }

  private void all() throws IOException {
    save("exponential", BatchNormLayer.builder(FEATURES).smoothingFactor(0.25));
    save("cumulative", BatchNormLayer.builder(FEATURES).epsilon(1e-3).cumulativeAverage());
    save("population", BatchNormLayer.builder(FEATURES).populationRunningVar(true));
    saveStatistics();
    Files.writeString(folder.resolve("expected.txt"), expected);
  }

  private void save(String name, BatchNormLayer.Builder builder) throws IOException {
    BatchNormLayer layer = builder.gamma(rows(1)[0]).beta(rows(1)[0]).build();
    for (int k = 0; k < 5; k++) {
      layer.forward(rows(8));
    }
    BatchNormState state = layer.state();
    write(name + ".ser", state);
    Files.writeString(folder.resolve(name + ".json"), json(state));

    line("case", name);
    vector("gamma", state.gamma());
    vector("beta", state.beta());
    vector("runningMean", state.runningMean());
    vector("runningVar", state.runningVar());
    line("batchesTracked", (double) state.batchesTracked());
    line("epsilon", state.epsilon());
    line("smoothingFactor", state.smoothingFactor());
    line("cumulativeAverage", state.cumulativeAverage());
    line("populationRunningVar", state.populationRunningVar());
    double[][] x = rows(4);
    matrix("x", x);
    matrix("out", layer.infer(x));
    line("end", "");
  }

  private void saveStatistics() throws IOException {
    ColumnStatistics statistics = new ColumnStatistics(FEATURES);
    for (int k = 0; k < 5; k++) {
      statistics.add(rows(70));
    }
    write("statistics.ser", statistics);

    line("case", "statistics");
    line("rows", (double) statistics.rows());
    vector("mean", statistics.mean());
    vector("var", statistics.var());
    line("end", "");
  }

  /** As a JSON library writes it. */
  private static String json(BatchNormState s) {
    return """
        {"gamma":%s,"beta":%s,"runningMean":%s,"runningVar":%s,"batchesTracked":%d,"epsilon":%s,\
        "smoothingFactor":%s,"cumulativeAverage":%b,"populationRunningVar":%b}"""
        .formatted(
            Arrays.toString(s.gamma()),
            Arrays.toString(s.beta()),
            Arrays.toString(s.runningMean()),
            Arrays.toString(s.runningVar()),
            s.batchesTracked(),
            s.epsilon(),
            s.smoothingFactor(),
            s.cumulativeAverage(),
            s.populationRunningVar());
  }

  private void write(String file, Object saved) throws IOException {
    try (var out = new ObjectOutputStream(Files.newOutputStream(folder.resolve(file)))) {
      out.writeObject(saved);
    }
  }

  private double[][] rows(int n) {
    double[][] rows = new double[n][];
    Arrays.setAll(rows, i -> random.doubles(FEATURES, -5, 5).toArray());
    return rows;
  }

  private void matrix(String key, double[][] values) {
    line(key, values.length + " " + FEATURES);
    Arrays.stream(values).forEach(this::values);
  }

  private void vector(String key, double[] values) {
    line(key, FEATURES);
    values(values);
  }

  private void values(double[] values) {
    expected.append(
        Arrays.stream(values)
            .mapToObj(Double::toString)
            .collect(Collectors.joining(" ", "", "\n")));
  }

  private void line(String key, Object value) {
    expected.append((key + " " + value).strip()).append('\n');
  }
}
