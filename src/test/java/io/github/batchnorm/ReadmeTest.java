package io.github.batchnorm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The sample in the README is compiled and run as it stands there, and prints what stands there.
 */
class ReadmeTest {
  private static final Pattern SAMPLE =
      Pattern.compile("```java\n(.*?)```.*?```\n(.*?)```", Pattern.DOTALL);

  @Test
  void the_sample_prints_what_the_readme_says(@TempDir Path folder)
      throws IOException, InterruptedException, URISyntaxException {
    Matcher sample = SAMPLE.matcher(Files.readString(Path.of("README.md")));
    assertThat(sample.find()).isTrue();
    Path source = Files.writeString(folder.resolve("Sample.java"), sample.group(1));
    assertThat(run(source)).isEqualTo(sample.group(2));
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
