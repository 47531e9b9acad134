package io.github.batchnorm.example;

import io.github.batchnorm.BatchNormLayer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Writes the computational graph of one small mini-batch as a web page to walk through, step by
 * step.
 *
 * <pre>{@code
 * mvn -q -Pexample test-compile exec:java -Dexec.mainClass=io.github.batchnorm.example.GraphPage
 * }</pre>
 *
 * <p>The page is one file, target/graph.html, and loads nothing. Every value in it comes from
 * {@link BatchNormLayer#forward}, {@link BatchNormLayer#graph} and {@link
 * BatchNormLayer#backwardGraph}. The exit code is 2 for a bad option or file, 1 if the page cannot
 * be written.
 */
@Command(
    name = "graph",
    description = {
      "Writes the graph of batch normalization, with the values of one small mini-batch,",
      "as a web page to walk through: target/graph.html. Without options it shows the 3 x 2",
      "example that the tests work by hand."
    },
    sortOptions = false)
final class GraphPage implements Callable<Integer> {
  // the example that the library's HandWorkedTest works by hand: no value of it is rounded
  private static final double[][] X = {{4, 3}, {4, 0}, {1, -6}};
  private static final double[] GAMMA = {2, -4};
  private static final double[] BETA = {1, 3};
  private static final double EPSILON = 2;
  private static final double[][] DOUT = {{1, 2}, {4, -1}, {1, 5}};

  private static final double EPSILON_OF_FILES = 1e-5; // the default of BatchNormLayer
  private static final long SEED = 1; // of the dout of a file that comes without

  @Option(
      names = "--csv",
      paramLabel = "FILE",
      description = {
        "the mini-batch x: a line of numbers for each row, separated by commas;",
        "2 to 12 rows, 1 to 8 columns; default: the example"
      })
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
      description = "added to the variance, > 0; default: 1e-5 for a file")
  private Double epsilon;

  @Option(
      names = "--dout",
      paramLabel = "FILE",
      description = {
        "the gradient that arrives, in the shape of x; default for a file: drawn at random,",
        "the same numbers each time"
      })
  private Path doutFile;

  @Option(
      names = "--output",
      paramLabel = "FILE",
      defaultValue = "target/graph.html",
      description = "where the page goes; default: ${DEFAULT-VALUE}")
  private Path output;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "print this and stop")
  private boolean help;

  @Spec private CommandSpec spec;

  private GraphPage() {}

  /** Runs the program; see {@code --help}. */
  public static void main(String[] args) {
    int exitCode = commandLine().execute(args);
    if (exitCode != 0) {
      System.exit(exitCode); // the only way to tell Maven
    }
  }

  /** The program, ready to be executed once. */
  static CommandLine commandLine() {
    return new CommandLine(new GraphPage()).setParameterExceptionHandler(GraphPage::explain);
  }

  @Override
  public Integer call() {
    if (Files.exists(output) && !Files.isRegularFile(output)) { // a folder, "/", "", or /dev/null
      throw new ParameterException(spec.commandLine(), "--output (" + output + ") must be a file");
    }
    String page;
    try {
      page = PageTemplate.fill(walk().toJson());
    } catch (DataException | IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
    try {
      Files.createDirectories(output.toAbsolutePath().getParent());
      OutputFile.write(output, page.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      spec.commandLine().getErr().println("cannot write " + output + ": " + e);
      return 1;
    }
    spec.commandLine().getOut().println("Wrote " + output + ": open it in a browser");
    return 0;
  }

  /** Both passes over the mini-batch of the options. */
  private GraphWalk walk() throws DataException {
    boolean example = csv == null;
    double[][] x = example ? X : MatrixFile.read(csv);
    int columns = x[0].length;
    double[] scale = ofColumns("--gamma", gamma, example ? GAMMA : filled(columns, 1));
    double[] shift = ofColumns("--beta", beta, example ? BETA : filled(columns, 0));
    double[][] dout = doutFile == null ? (example ? DOUT : random(x)) : likeX(x);
    BatchNormLayer layer =
        BatchNormLayer.builder(columns)
            .gamma(scale)
            .beta(shift)
            .epsilon(epsilon == null ? (example ? EPSILON : EPSILON_OF_FILES) : epsilon)
            .build();
    return GraphWalk.of(layer, source(), x, dout);
  }

  /** Says on the page where x and dout come from. */
  private String source() {
    String x = csv == null ? "x is the example worked by hand" : "x is " + csv.getFileName();
    if (doutFile != null) {
      return x + ", dout is " + doutFile.getFileName();
    }
    return csv == null ? x : x + ", dout is drawn at random";
  }

  private static double[] ofColumns(String option, double[] given, double[] byDefault)
      throws DataException {
    if (given == null) {
      return byDefault;
    }
    if (given.length != byDefault.length) {
      throw new DataException(
          "%s has length %d, expected %d as x has columns"
              .formatted(option, given.length, byDefault.length));
    }
    return given;
  }

  private double[][] likeX(double[][] x) throws DataException {
    double[][] dout = MatrixFile.read(doutFile);
    if (dout.length != x.length || dout[0].length != x[0].length) {
      throw new DataException(
          "%s has shape (%d, %d), expected (%d, %d) as x"
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

  /** One line; the default would print all of the help after it. */
  private static int explain(ParameterException e, String[] args) {
    e.getCommandLine().getErr().println(e.getMessage() + " (see --help)");
    return 2;
  }
}
