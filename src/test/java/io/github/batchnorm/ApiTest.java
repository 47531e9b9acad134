package io.github.batchnorm;

import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.module.ModuleDescriptor;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The public interface is the one that stands in api.txt: what a program may have been compiled
 * against, as {@code javap} prints it.
 */
class ApiTest {
  private static final Path FROZEN = Path.of("src/test/resources/io/github/batchnorm/api.txt");
  private static final Path SOURCES = Path.of("src/main/java/io/github/batchnorm");
  private static final Path NOW = Path.of("target/api.txt");

  /** Writes the interface of today beside the classes, for the case that the change is meant. */
  @Test
  void every_public_signature_is_the_one_that_is_frozen() throws Exception {
    List<String> now = signatures();
    Files.createDirectories(NOW.getParent());
    Files.write(NOW, now);
    List<String> frozen = Files.readAllLines(FROZEN);
    assertThat(differences(frozen, now))
        .as(
            "lines of the public interface that went (-) or came (+). A minor release may add"
                + " lines, only a major one may change or remove any. If the change is meant, run"
                + " cp %s %s and tell users of it in src/site/markdown/changes.md",
            NOW, FROZEN)
        .isEmpty();
  }

  /** A reader of a later version's Javadoc sees which version he needs. */
  @Test
  void every_public_class_says_since_when() throws Exception {
    for (Map.Entry<String, Long> source : publicClassesBySource().entrySet()) {
      Path file = SOURCES.resolve(source.getKey() + ".java");
      assertThat(Files.readAllLines(file).stream().filter(line -> line.contains("* @since 1.")))
          .as("@since in %s", file)
          .hasSize(source.getValue().intValue());
    }
  }

  private static Map<String, Long> publicClassesBySource() throws Exception {
    return publicClasses().stream()
        .map(name -> name.replaceFirst(".*\\.", "").replaceFirst("\\$.*", ""))
        .collect(groupingBy(name -> name, counting()));
  }

  /** Each line that is in one list only; a line bears the name of its class. */
  private static List<String> differences(List<String> frozen, List<String> now) {
    List<String> differences = new ArrayList<>();
    frozen.stream().filter(line -> !now.contains(line)).map("- "::concat).forEach(differences::add);
    now.stream().filter(line -> !frozen.contains(line)).map("+ "::concat).forEach(differences::add);
    return differences;
  }

  /** Of all public classes and of the module, each with its class in front, in order. */
  private static List<String> signatures() throws Exception {
    List<String> signatures = new ArrayList<>(module(root().resolve("module-info.class")));
    for (String name : publicClasses()) {
      signatures.addAll(signatures(root(), name));
    }
    return signatures.stream().sorted().toList();
  }

  private static List<String> publicClasses() throws Exception {
    Path root = root();
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .map(file -> root.relativize(file).toString())
          .filter(file -> file.endsWith(".class") && !file.endsWith("-info.class"))
          .map(file -> file.replaceFirst("\\.class$", "").replace(File.separatorChar, '.'))
          .filter(name -> isPublic(load(name)))
          .toList();
    }
  }

  private static Class<?> load(String name) {
    try {
      return Class.forName(name);
    } catch (ClassNotFoundException e) {
      throw new AssertionError(e);
    }
  }

  private static Path root() throws URISyntaxException {
    return Path.of(
        BatchNormLayer.class.getProtectionDomain().getCodeSource().getLocation().toURI());
  }

  /** A nested class is public if the classes around it are, too. */
  private static boolean isPublic(Class<?> type) {
    return type == null
        || Modifier.isPublic(type.getModifiers()) && isPublic(type.getEnclosingClass());
  }

  private static List<String> module(Path info) throws IOException {
    try (InputStream in = Files.newInputStream(info)) {
      ModuleDescriptor module = ModuleDescriptor.read(in);
      Stream<String> exports = module.exports().stream().map(e -> "exports " + e.source());
      Stream<String> requires = module.requires().stream().map(r -> "requires " + r.name());
      return Stream.concat(exports, requires).map(line -> module.name() + ": " + line).toList();
    }
  }

  private static List<String> signatures(Path root, String name) {
    ToolProvider javap = ToolProvider.findFirst("javap").orElseThrow();
    StringWriter printed = new StringWriter();
    int status =
        javap.run(
            new PrintWriter(printed),
            new PrintWriter(System.err),
            "-protected",
            "-constants",
            "-classpath",
            root.toString(),
            name);
    assertThat(status).as("javap %s", name).isZero();
    return printed
        .toString()
        .lines()
        .filter(line -> !line.startsWith("Compiled from") && !line.equals("}"))
        .map(line -> name.replaceFirst(".*\\.", "") + ": " + line.replaceFirst(" \\{$", "").strip())
        .toList();
  }
}
