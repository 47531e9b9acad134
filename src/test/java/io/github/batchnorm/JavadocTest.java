package io.github.batchnorm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The samples in the Javadoc compile and run. */
class JavadocTest {
  private static final Path SOURCES = Path.of("src/main/java/io/github/batchnorm");

  /** A block of code; what has no semicolon is a formula. */
  private static final Pattern CODE =
      Pattern.compile("<pre>\\{@code\\R(.*?)\\R *\\* }</pre>", Pattern.DOTALL);

  private static final Pattern PUBLIC_CLASS = Pattern.compile("(?m)^public (final class|record)");

  private static List<Path> sources() throws IOException {
    try (Stream<Path> sources = Files.list(SOURCES)) {
      return sources.sorted().toList();
    }
  }

  static List<Path> publicClasses() throws IOException {
    return sources().stream().filter(s -> PUBLIC_CLASS.matcher(read(s)).find()).toList();
  }

  static List<String> samples() throws IOException {
    return sources().stream().flatMap(JavadocTest::samples).toList();
  }

  private static Stream<String> samples(Path source) {
    return CODE.matcher(read(source))
        .results()
        .map(block -> block.group(1).replaceAll("(?m)^ *\\* ?", ""))
        .filter(code -> code.contains(";"));
  }

  @ParameterizedTest
  @MethodSource("publicClasses")
  void each_public_class_has_one(Path source) {
    assertThat(samples(source)).isNotEmpty();
  }

  private static String read(Path source) {
    try {
      return Files.readString(source);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @MethodSource("samples")
  void a_sample_compiles_and_runs(String code, @TempDir Path folder) throws Exception {
    String program =
        "import io.github.batchnorm.*;\nimport java.util.*;\n"
            + "public class Sample {\n  public static void main(String[] args) {\n"
            + code
            + "\n  }\n}\n";
    Path source = Files.writeString(folder.resolve("Sample.java"), program);
    ByteArrayOutputStream messages = new ByteArrayOutputStream();
    int status =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                messages,
                messages,
                "-classpath",
                Path.of(
                        BatchNormLayer.class
                            .getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    .toString(),
                "-d",
                folder.toString(),
                source.toString());
    assertThat(status).as(program + messages).isZero();
    try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
      loader
          .loadClass("Sample")
          .getMethod("main", String[].class)
          .invoke(null, (Object) new String[0]);
    }
  }
}
