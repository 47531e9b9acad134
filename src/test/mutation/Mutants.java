import static java.util.stream.Collectors.groupingBy;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * Breaks classes of the library with PIT, one after the other, compares the mutants that survive
 * with the table in README.md, and fails if they differ. From the root of the repository, with the
 * library, its tests and PIT on the class path: {@code java Mutants.java [CLASS...]}.
 */
final class Mutants {
  private static final String PACKAGE = "io.github.batchnorm.";
  private static final Path TABLE = Path.of("src/test/mutation/README.md");
  private static final Path SOURCES = Path.of("src/test/java", PACKAGE.replace('.', '/'));
  private static final Path REPORTS = Path.of("src/test/mutation/target/pit-reports");

  /** A row of the table: the method in backquotes, then how many survive, such as 2 or 0-2. */
  private static final Pattern ROW =
      Pattern.compile("^\\| `([^`]+)` \\| (\\d+)(?:-(\\d+))? \\|", Pattern.MULTILINE);

  private static final String ARITHMETIC =
      "HandWorkedTest LawsTest LimitsTest NodesTest InferenceTest ExactTest"
          + " ConformanceTest LiteralTest BatchNormLayerTest SumsTest WalkTest GridTest";
  private static final String CHECKER =
      "GradientCheckTest GradientCheckKinksTest GradientCheckNoiseTest GradientCheckOverloadsTest"
          + " GradientCheckOfLayerTest";

  /**
   * Each class with the tests that must notice when it breaks. Not all tests: a mutant that
   * survives goes through every one of them.
   */
  private static final Map<String, String> TESTS = new LinkedHashMap<>();

  static {
    TESTS.put("Sums", "SumsTest HandWorkedTest LawsTest NodesTest");
    TESTS.put("Grid", "GridTest WalkTest");
    TESTS.put("Walk", "WalkTest HandWorkedTest NodesTest LimitsTest FailedCallTest");
    TESTS.put("Team", "TeamTest ThreadsTest CopyAndRestoreTest");
    TESTS.put(
        "Rows", ARITHMETIC + " GradientTest AliasingTest FailedCallTest ColumnStatisticsTest");
    TESTS.put("Graph", ARITHMETIC + " PrecisionTest");
    TESTS.put(
        "Inference", "InferenceTest GradientTest FailedCallTest AliasingTest GridTest ThreadsTest");
    TESTS.put("RunningStatistics", "RunningStatisticsTest ConformanceTest FailedCallTest");
    TESTS.put("Part", "ColumnStatisticsTest");
    TESTS.put("ColumnStatistics", "ColumnStatisticsTest");
    TESTS.put("BatchNormState", "BatchNormStateTest SavedStatesTest CopyAndRestoreTest");
    TESTS.put(
        "BatchNormLayer",
        "BatchNormLayerTest BuilderTest CopyAndRestoreTest FailedCallTest InferenceTest ContractTest"
            + " LimitsTest ColumnStatisticsTest RunningAveragesTest ConformanceTest AliasingTest"
            + " BatchNormStateTest");
    TESTS.put(
        "Check",
        "FailedCallTest BatchNormStateTest BuilderTest ColumnStatisticsTest GradientCheckTest"
            + " GradientCheckNoiseTest GradientCheckOverloadsTest");
    TESTS.put("Gradient", CHECKER);
    TESTS.put("GradientCheck", CHECKER);
    TESTS.put("GradientReport", CHECKER);
    TESTS.put("Differences", CHECKER + " GradientCheckFunctionsTest");
  }

  private record Mutant(String method, String line, String description, boolean survives) {
    static Mutant of(Element mutation) {
      String type = text(mutation, "mutatedClass").replaceFirst(".*\\.", "").replace('$', '.');
      // a mutant in a lambda is one of the method around it
      String method = text(mutation, "mutatedMethod").replaceFirst("lambda\\$(.*)\\$\\d+", "$1");
      return new Mutant(
          type + "." + method.replace("<init>", "new"),
          text(mutation, "lineNumber"),
          text(mutation, "description"),
          mutation.getAttribute("detected").equals("false"));
    }

    private static String text(Element mutation, String tag) {
      return mutation.getElementsByTagName(tag).item(0).getTextContent();
    }
  }

  private record Count(int least, int most) {
    static final Count NONE = new Count(0, 0);
  }

  private Mutants() {}

  public static void main(String[] args) throws Exception {
    List<String> names = args.length == 0 ? List.copyOf(TESTS.keySet()) : Arrays.asList(args);
    for (String name : names) {
      if (!TESTS.containsKey(name)) {
        System.err.println(name + " is none of " + TESTS.keySet());
        System.exit(2);
      }
    }
    Map<String, Count> listed = listed();
    boolean asListed = true;
    for (String name : names) {
      asListed &= check(name, listed);
    }
    System.out.println(asListed ? "as listed in " + TABLE : "mend the tests, or " + TABLE);
    System.exit(asListed ? 0 : 1);
  }

  /** Prints a line, and the rows of the table that must change. */
  private static boolean check(String name, Map<String, Count> listed) throws Exception {
    System.out.printf("%-18s", name);
    System.out.flush();
    long start = System.nanoTime();
    List<Mutant> mutants = mutants(name);
    long seconds = (System.nanoTime() - start) / 1_000_000_000;
    List<Mutant> survivors = mutants.stream().filter(Mutant::survives).toList();
    System.out.printf(
        "%4d mutants, %2d survive, %4d s%n", mutants.size(), survivors.size(), seconds);

    Map<String, List<Mutant>> found = survivors.stream().collect(groupingBy(Mutant::method));
    TreeSet<String> methods = new TreeSet<>(found.keySet());
    listed.keySet().stream().filter(m -> m.startsWith(name + ".")).forEach(methods::add);
    boolean asListed = true;
    for (String method : methods) {
      List<Mutant> here = found.getOrDefault(method, List.of());
      Count count = listed.getOrDefault(method, Count.NONE);
      if (here.size() < count.least() || here.size() > count.most()) {
        asListed = false;
        System.out.printf(
            "  | `%s` | %d | listed: %d to %d%n", method, here.size(), count.least(), count.most());
        here.forEach(m -> System.out.printf("    line %s: %s%n", m.line(), m.description()));
      }
    }
    return asListed;
  }

  private static List<Mutant> mutants(String name) throws Exception {
    Path report = REPORTS.resolve(name);
    Files.createDirectories(report);
    run(name, report);
    NodeList mutations =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(report.resolve("mutations.xml").toFile())
            .getElementsByTagName("mutation");
    List<Mutant> mutants = new ArrayList<>();
    for (int i = 0; i < mutations.getLength(); i++) {
      mutants.add(Mutant.of((Element) mutations.item(i)));
    }
    return mutants;
  }

  /** PIT, in a process of its own; what it prints goes into a file beside its report. */
  private static void run(String name, Path report) throws IOException, InterruptedException {
    String tests = TESTS.get(name);
    for (String test : tests.split(" ")) {
      Path source = SOURCES.resolve(test + ".java");
      if (!Files.exists(source)) { // PIT would run the others without a word
        throw new IllegalStateException(source + " must exist: a test of " + name);
      }
    }
    File log = report.resolve("pit.log").toFile();
    int status =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-classpath",
                System.getProperty("java.class.path"),
                "org.pitest.mutationtest.commandline.MutationCoverageReport",
                "--targetClasses=" + PACKAGE + name + "," + PACKAGE + name + "$*",
                "--targetTests="
                    + Arrays.stream(tests.split(" "))
                        .map(test -> PACKAGE + test + "*")
                        .collect(Collectors.joining(",")),
                "--sourceDirs=src/main/java",
                "--reportDir=" + report,
                "--timestampedReports=false",
                "--outputFormats=HTML,XML",
                "--threads=2",
                "--timeoutFactor=3", // a busy machine is no endless loop
                "--mutationUnitSize=25", // of a class, for one process
                // several threads in the library, whatever the machine; no time lost on optimizing
                "--jvmArgs=-XX:ActiveProcessorCount=8,-XX:TieredStopAtLevel=1,-XX:+UseSerialGC",
                "--verbosity=NO_SPINNER")
            .redirectErrorStream(true)
            .redirectOutput(log)
            .start()
            .waitFor();
    if (status != 0) {
      throw new IllegalStateException("PIT failed, see " + log);
    }
  }

  private static Map<String, Count> listed() throws IOException {
    Map<String, Count> listed = new TreeMap<>();
    ROW.matcher(Files.readString(TABLE))
        .results()
        .forEach(
            row -> {
              int least = Integer.parseInt(row.group(2));
              int most = row.group(3) == null ? least : Integer.parseInt(row.group(3));
              listed.put(row.group(1), new Count(least, most));
            });
    return listed;
  }
}
