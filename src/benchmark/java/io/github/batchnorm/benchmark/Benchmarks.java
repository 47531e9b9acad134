package io.github.batchnorm.benchmark;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
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
 * mvn -q -f src/benchmark -Ppeers test-compile exec:exec -Dargs=--short   about 5 minutes
 * mvn -q -f src/benchmark -Ppeers test-compile exec:exec                  everything, 100 minutes
 * mvn -q -f src/benchmark test-compile exec:exec                          without libtorch, 1 hour
 * mvn -q -f src/benchmark test-compile exec:exec -Dargs=--scaling         time per element, 2 minutes
 * }</pre>
 *
 * <p>Names of benchmarks and JMH's own options may follow, such as {@code -Dargs="--short forward
 * inferRow -f 3 -p size=64x64,60x100 -p features=64 -p contender=batchnorm,hand-buffers"}.
 */
final class Benchmarks {
  /** A third less than the whole run's: to touch 1 GB takes half a second of every fork. */
  private static final List<String> SHORT_JVM = List.of("-Xms2g", "-Xmx2g", "-XX:+AlwaysPreTouch");

  private final boolean shortRun;
  private final List<String> named; // methods
  private final List<String> contenders;
  private final CommandLineOptions commandLine;

  /** Takes what it knows from the options and leaves the rest to JMH. */
  private Benchmarks(List<String> options) throws CommandLineOptionException {
    shortRun = options.remove("--short");
    List<String> methods = all(Suite::methods);
    named = methods.stream().filter(options::remove).toList();
    commandLine = new CommandLineOptions(options.toArray(String[]::new));
    contenders = List.copyOf(commandLine.getParameter("contender").orElse(List.of()));
    known("benchmark", commandLine.getIncludes(), methods);
    known("contender", contenders, all(Suite::contenders));
  }

  private static List<String> all(Function<Suite, List<String>> names) {
    return Suite.all().stream().map(names).flatMap(List::stream).distinct().toList();
  }

  private static void known(String what, List<String> named, List<String> names)
      throws CommandLineOptionException {
    for (String name : named) {
      if (!names.contains(name)) {
        throw new CommandLineOptionException(
            "%s (%s) must be one of %s".formatted(what, name, names));
      }
    }
  }

  /** Runs the program. */
  public static void main(String[] args) throws IOException, RunnerException {
    try {
      if (List.of(args).contains("--scaling")) {
        Scaling.run();
      } else {
        new Benchmarks(new ArrayList<>(List.of(args))).run();
      }
    } catch (CommandLineOptionException e) {
      System.err.println(e.getMessage());
      System.exit(2);
    }
  }

  private void run() throws IOException, RunnerException {
    if (commandLine.shouldHelp()) {
      commandLine.showHelp();
      return;
    }
    Surroundings.print();
    List<Suite> suites =
        (shortRun ? Suite.ofShortRun() : Suite.all())
            .stream().map(this::chosen).filter(suite -> suite.measurements() > 0).toList();
    int total = suites.stream().mapToInt(Suite::measurements).sum();
    List<Score> scores = new ArrayList<>();
    for (Suite suite : suites) {
      for (String method : suite.methods()) {
        for (String value : suite.values()) {
          for (String contender : suite.contenders()) { // in a row: the machine may change
            Score score = measure(suite, method, value, contender);
            scores.add(score);
            System.out.printf(Locale.ROOT, "%d of %d: %s%n", scores.size(), total, score);
          }
        }
      }
    }
    suites.forEach(suite -> Report.print(suite, scores));
  }

  /** What the command line chooses: names of methods and contenders are those of any suite. */
  private Suite chosen(Suite suite) {
    Suite all = Suite.all().stream().filter(s -> s.type() == suite.type()).findAny().orElseThrow();
    return new Suite(
        suite.type(),
        named.isEmpty() ? suite.methods() : all.methods().stream().filter(named::contains).toList(),
        suite.parameter(),
        suite.head(),
        List.copyOf(commandLine.getParameter(suite.parameter()).orElse(suite.values())),
        contenders.isEmpty()
            ? suite.contenders()
            : all.contenders().stream().filter(contenders::contains).toList());
  }

  private Score measure(Suite suite, String method, String value, String contender)
      throws RunnerException {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .parent(commandLine)
            .include(suite.pattern(method))
            .param(suite.parameter(), value)
            .param("contender", contender)
            .addProfiler(GCProfiler.class)
            .verbosity(commandLine.verbosity().orElse(VerboseMode.SILENT))
            .shouldFailOnError(true);
    if (shortRun) {
      shorten(options);
    }
    RunResult result = new Runner(options.build()).runSingle();
    Result<?> time = result.getPrimaryResult();
    double bytes = result.getSecondaryResults().get("gc.alloc.rate.norm").getScore();
    return new Score(method, value, contender, time.getScore(), time.getScoreUnit(), bytes);
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
}
