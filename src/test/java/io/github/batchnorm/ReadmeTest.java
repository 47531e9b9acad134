package io.github.batchnorm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The samples in the README are compiled and run as they stand there, and print what stands there.
 */
class ReadmeTest {
  /** A program, some text, what it prints. */
  private static final Pattern SAMPLE =
      Pattern.compile("```java\n(.*?)```.*?```\n(.*?)```", Pattern.DOTALL);

  static List<MatchResult> samples() throws IOException {
    String readme = withLineFeeds(Files.readString(Path.of("README.md")));
    return SAMPLE.matcher(readme).results().toList();
  }

  /** A checkout, or a process, may end lines with a carriage return too. */
  private static String withLineFeeds(String text) {
    return text.replace("\r\n", "\n");
  }

  @Test
  void all_samples_are_found() throws IOException {
    assertThat(samples()).hasSize(2);
  }

  @ParameterizedTest
  @MethodSource("samples")
  void a_sample_prints_what_the_readme_says(MatchResult sample, @TempDir Path folder)
      throws IOException, InterruptedException, URISyntaxException {
    Path source = Files.writeString(folder.resolve("Sample.java"), sample.group(1));
    assertThat(withLineFeeds(run(source))).isEqualTo(sample.group(2));
  }

  /** What {@code java Sample.java} prints, with nothing but the library on its class path. */
  private static String run(Path source)
      throws IOException, InterruptedException, URISyntaxException {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Path library =
        Path.of(BatchNormLayer.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    Process process =
        new ProcessBuilder(java.toString(), "-classpath", library.toString(), source.toString())
            .redirectErrorStream(true)
            .start();
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(printed).isZero();
    return printed;
  }
}
