package io.github.batchnorm.benchmark;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Measures all contenders and prints tables: time, speed against libtorch, memory allocated.
 *
 * <pre>{@code
 * mvn -q -f src/benchmark -Ppeers test-compile exec:exec -Dargs=--short   under 5 minutes
 * mvn -q -f src/benchmark -Ppeers test-compile exec:exec                  everything, 80 minutes
 * mvn -q -f src/benchmark test-compile exec:exec                          without libtorch, 1 hour
 * mvn -q -f src/benchmark test-compile exec:exec -Dargs=--scaling         time per element, 2 minutes
 * }</pre>
 *
 * <p>Names of benchmarks and JMH's own options may follow, such as {@code -Dargs="--short forward
 * -f 3 -p size=64x64,60x100 -p contender=batchnorm,naive"}.
 */
final class Benchmarks {
  private static final List<String> METHODS = List.of("forward", "backward", "forwardAndBackward");

  /** A third less than the whole run's: to touch 1 GB takes half a second of every fork. */
  private static final List<String> SHORT_JVM = List.of("-Xms2g", "-Xmx2g", "-XX:+AlwaysPreTouch");

  private final boolean shortRun;
  private final List<String> methods;
  private final CommandLineOptions commandLine;

  /** Takes what it knows from the options and leaves the rest to JMH. */
  private Benchmarks(List<String> options) throws CommandLineOptionException {
    shortRun = options.remove("--short");
    List<String> named = METHODS.stream().filter(options::remove).toList();
    methods = !named.isEmpty() ? named : shortRun ? List.of("forwardAndBackward") : METHODS;
    commandLine = new CommandLineOptions(options.toArray(String[]::new));
    if (!commandLine.getIncludes().isEmpty()) {
      throw new CommandLineOptionException(
          "no benchmark " + commandLine.getIncludes() + ", there are " + METHODS);
    }
  }

  /** Runs the program. */
  public static void main(String[] args)
      throws CommandLineOptionException, NoSuchFieldException, RunnerException {
    if (List.of(args).contains("--scaling")) {
      Scaling.run();
    } else {
      new Benchmarks(new ArrayList<>(List.of(args))).run();
    }
  }

  private void run() throws NoSuchFieldException, RunnerException {
    Surroundings.print();
    List<String> sizes = chosen("size", List.of(sizes()));
    List<String> contenders = chosen("contender", Contenders.names(shortRun));
    int total = methods.size() * sizes.size() * contenders.size();
    List<Score> scores = new ArrayList<>();
    for (String method : methods) {
      for (String size : sizes) {
        for (String contender : contenders) { // next to each other in time: the machine may change
          Score score = measure(method, size, contender);
          scores.add(score);
          System.out.printf(Locale.ROOT, "%d of %d: %s%n", scores.size(), total, score);
        }
      }
    }
    Report.print(methods, sizes, contenders, scores);
  }

  private Score measure(String method, String size, String contender) throws RunnerException {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .parent(commandLine)
            .include(BatchNormBenchmark.class.getName() + "\\." + method + "$")
            .param("size", size)
            .param("contender", contender)
            .addProfiler(GCProfiler.class)
            .verbosity(commandLine.verbosity().orElse(VerboseMode.SILENT))
            .shouldFailOnError(true);
    if (shortRun) {
      shorten(options);
    }
    RunResult result = new Runner(options.build()).runSingle();
    double micros = result.getPrimaryResult().getScore();
    double bytes = result.getSecondaryResults().get("gc.alloc.rate.norm").getScore();
    return new Score(method, size, contender, micros, bytes);
  }

  /** What the command line says goes first. */
  private void shorten(ChainedOptionsBuilder options) {
    TimeValue time = TimeValue.milliseconds(200);
    options.jvmArgs(commandLine.getJvmArgs().orElse(SHORT_JVM).toArray(String[]::new));
    options.forks(commandLine.getForkCount().orElse(1));
    options.warmupIterations(commandLine.getWarmupIterations().orElse(3));
    options.warmupTime(commandLine.getWarmupTime().orElse(time));
    options.measurementIterations(commandLine.getMeasurementIterations().orElse(4));
    options.measurementTime(commandLine.getMeasurementTime().orElse(time));
  }

  private List<String> chosen(String parameter, List<String> all) {
    return List.copyOf(commandLine.getParameter(parameter).orElse(all));
  }

  private static String[] sizes() throws NoSuchFieldException {
    return BatchNormBenchmark.class.getField("size").getAnnotation(Param.class).value();
  }
}
