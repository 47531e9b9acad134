package io.github.batchnorm.example;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.batchnorm.BatchNormLayer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Writes the computational graph of one small mini-batch as a web page to walk through, step by
 * step.
 *
 * <pre>{@code
 * mvn -q -f src/example -Dmain=GraphPage
 * }</pre>
 *
 * <p>The page is one file, target/graph.html, and loads nothing. Every value in it comes from
 * {@link BatchNormLayer#forward}, {@link BatchNormLayer#graph} and {@link
 * BatchNormLayer#backwardGraph}.
 */
@Command(
    name = "graph",
    description =
        "Writes the graph of batch normalization, with the values of one small mini-batch, as a web"
            + " page to walk through. Without options it shows the 3 x 2 example that the tests"
            + " work by hand.")
final class GraphPage extends Program {
  // the example that the library's HandWorkedTest works by hand: no value of it is rounded
  private static final double[][] X = {{4, 3}, {4, 0}, {1, -6}};
  private static final double[] GAMMA = {2, -4};
  private static final double[] BETA = {1, 3};
  private static final double EPSILON = 2;
  private static final double[][] DOUT = {{1, 2}, {4, -1}, {1, 5}};

  private static final double EPSILON_OF_FILES = 1e-5; // the default of BatchNormLayer
  private static final double MIN_EPSILON = 1e-300;
  private static final double MAX_EPSILON = 1e290;
  private static final String EPSILON_RULE = "from " + MIN_EPSILON + " to " + MAX_EPSILON;
  private static final long SEED = 1; // of the dout of a file that comes without

  @Option(
      names = "--csv",
      paramLabel = "FILE",
      description =
          "the mini-batch x: a line of numbers for each row, separated by commas, semicolons or"
              + " tabs; 2 to 12 rows, 1 to 8 columns; the first line may name the columns;"
              + " default: the example")
  private Path csv;

  @Option(
      names = "--gamma",
      paramLabel = "NUMBER",
      split = ",",
      description = "one number for each column, separated by commas; default: 1 for a file")
  private double[] gamma;

  @Option(
      names = "--beta",
      paramLabel = "NUMBER",
      split = ",",
      description = "one number for each column, separated by commas; default: 0 for a file")
  private double[] beta;

  @Option(
      names = "--epsilon",
      paramLabel = "NUMBER",
      description = "added to the variance, " + EPSILON_RULE + "; default: 1e-5 for a file")
  private Double epsilon;

  @Option(
      names = "--dout",
      paramLabel = "FILE",
      description =
          "the gradient that arrives, in the shape of x; default for a file: drawn at random, the"
              + " same numbers each time")
  private Path doutFile;

  @Option(
      names = "--output",
      paramLabel = "FILE",
      description =
          "where the page goes, in a folder that exists; a file of that name is replaced; default:"
              + " target/graph.html")
  private Path output;

  GraphPage() {}

  /** Runs the program; see {@code --help}. */
  public static void main(String[] args) {
    main(new GraphPage(), args);
  }

  @Override
  void run() throws DataException, IOException {
    checkOptions();
    byte[] page = page(csv == null ? new NamedMatrix(X, List.of()) : MatrixFile.read(csv));
    if (output == null) {
      OutputFile.makeFolder();
      output = OutputFile.FOLDER.resolve("graph.html");
    }
    OutputFile.write(output, page);
    print("Wrote %s: open it in a browser", output);
  }

  private void checkOptions() throws IOException {
    if (epsilon != null && !(epsilon >= MIN_EPSILON && epsilon <= MAX_EPSILON)) {
      throw bad("--epsilon (" + epsilon + ") must be " + EPSILON_RULE);
    }
    if (output != null) {
      checkOutput(output.toAbsolutePath());
      checkIsAnother("--csv", csv);
      checkIsAnother("--dout", doutFile);
    }
  }

  /** The page must not overwrite the user's data. */
  private void checkIsAnother(String option, Path input) throws IOException {
    if (input != null && Files.exists(output) && Files.exists(input)) {
      if (Files.isSameFile(input, output)) {
        throw bad("--output (" + output + ") must be another file than " + option);
      }
    }
  }

  private void checkOutput(Path file) {
    if (Files.exists(file) && !Files.isRegularFile(file)) { // a folder, "/", "", or /dev/null
      throw bad("--output (" + output + ") must be a file");
    }
    if (Files.isSymbolicLink(file) && !Files.exists(file)) {
      throw bad("--output (" + output + ") is a link to a file that does not exist");
    }
    if (!Files.isDirectory(file.getParent())) {
      throw bad("--output (" + output + ") must be in a folder that exists: create it first");
    }
  }

  private byte[] page(NamedMatrix x) throws DataException {
    try {
      return PageTemplate.fill(walk(x).toJson()).getBytes(UTF_8);
    } catch (IllegalArgumentException e) { // the layer refuses a number
      throw bad(e.getMessage());
    }
  }

  /** Both passes over the mini-batch. */
  private GraphWalk walk(NamedMatrix x) throws DataException {
    boolean example = csv == null;
    int columns = x.values()[0].length;
    double[] scale = ofColumns("--gamma", gamma, example ? GAMMA : filled(columns, 1));
    double[] shift = ofColumns("--beta", beta, example ? BETA : filled(columns, 0));
    BatchNormLayer layer =
        BatchNormLayer.builder(columns)
            .gamma(scale)
            .beta(shift)
            .epsilon(epsilon == null ? (example ? EPSILON : EPSILON_OF_FILES) : epsilon)
            .build();
    double[][] dout = example ? DOUT : random(x.values());
    if (doutFile != null) {
      dout = likeX(x.values());
    }
    return GraphWalk.of(layer, source(), x.names(), x.values(), dout);
  }

  /** Says on the page where x and dout come from. */
  private String source() {
    String x = csv == null ? "x is the example worked by hand" : "x is " + csv.getFileName();
    if (doutFile != null) {
      return x + ", dout is " + doutFile.getFileName();
    }
    return csv == null ? x : x + ", dout is drawn at random";
  }

  private double[] ofColumns(String option, double[] given, double[] byDefault) {
    if (given == null) {
      return byDefault;
    }
    if (given.length != byDefault.length) {
      throw bad(
          "%s has length %d, expected %d, one for each column of x"
              .formatted(option, given.length, byDefault.length));
    }
    return given;
  }

  private double[][] likeX(double[][] x) throws DataException {
    double[][] dout = MatrixFile.read(doutFile).values();
    if (dout.length != x.length || dout[0].length != x[0].length) {
      throw new DataException(
          "%s has shape (%d, %d), expected (%d, %d), the shape of x"
              .formatted(
                  MatrixFile.quoted(doutFile), dout.length, dout[0].length, x.length, x[0].length));
    }
    return dout;
  }

  private static double[] filled(int columns, double value) {
    double[] row = new double[columns];
    Arrays.fill(row, value);
    return row;
  }

  /** Normally distributed, with two digits after the point so that a reader can follow them. */
  private static double[][] random(double[][] x) {
    Random random = new Random(SEED);
    double[][] dout = new double[x.length][x[0].length];
    for (double[] row : dout) {
      Arrays.setAll(row, j -> Math.rint(100 * random.nextGaussian()) / 100);
    }
    return dout;
  }
}
