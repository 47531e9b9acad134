package io.github.batchnorm.example;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class Figure1Test {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int execute(String... args) {
    CommandLine program = new Figure1().commandLine();
    program.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
    return program.execute(args);
  }

  @Test
  void help_names_every_option() {
    assertThat(execute("--help")).isZero();

    assertThat(out.toString())
        .contains("--data=DIR", "--steps=N", "--learning-rate=RATE", "--seed=N", "-h, --help");
  }

  @ParameterizedTest
  @CsvSource({
    "--steps, 0, --steps (0) must be at least 1 (see --help)",
    "--learning-rate, NaN, --learning-rate (NaN) must be > 0 and at most 10 (see --help)",
    "--data, missing, --data (missing) must be an existing folder",
  })
  void a_bad_option_is_refused_in_one_line(String option, String value, String message) {
    assertThat(execute(option, value)).isEqualTo(2);

    assertThat(err).hasToString(message + System.lineSeparator());
  }

  @Test
  @Timeout(120) // rather than a build that waits for ever
  @DisabledOnOs(OS.WINDOWS) // no signals
  void interrupted_the_program_prints_what_it_has_and_writes_nothing(@TempDir Path folder)
      throws IOException, InterruptedException {
    Process program =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Figure1.class.getName(),
                "--steps",
                "1000")
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .start();
    List<String> lines = new ArrayList<>();
    try (BufferedReader reader = program.inputReader()) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        lines.add(line);
        if (line.startsWith("without batch norm: step 100 of 1000")) {
          program
              .toHandle()
              .destroy(); // SIGTERM; the JVM treats SIGINT, which a build may ignore, alike
        }
      }
    } finally {
      program.destroyForcibly();
    }

    assertThat(program.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(lines)
        .anyMatch(line -> line.matches(".*, about \\d+ s left for both"))
        .contains("Test accuracy", "  step   without batch norm   with batch norm")
        .anyMatch(line -> line.matches(" +10 +0\\.\\d{4} +-"))
        .endsWith("Interrupted: no figure is written");
    assertThat(folder.resolve("target")).isEmptyDirectory();
  }
}
