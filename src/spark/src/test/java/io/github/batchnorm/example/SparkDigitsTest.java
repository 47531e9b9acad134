package io.github.batchnorm.example;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The program as a user sees it: its lines, its messages, its exit codes. */
class SparkDigitsTest {
  private final StringWriter err = new StringWriter();

  private int execute(String... args) {
    return SparkDigits.create().commandLine().setErr(new PrintWriter(err, true)).execute(args);
  }

  private static String capture(Runnable program) {
    PrintStream out = System.out;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      program.run();
    } finally {
      System.setOut(out);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void prints_the_accuracy_of_one_machine_and_the_same_of_Spark_with_one_core_and_with_two() {
    String out = capture(() -> assertThat(execute("--steps", "20", "--partitions", "3")).isZero());

    assertThat(out)
        .startsWith("8,000 training and 2,000 test images, 3 partitions, 20 steps of training\n")
        .contains("training on the driver: step 20 of 20,");
    Matcher lines =
        Pattern.compile(
                """
                (?s).*statistics of 8,000 images by Spark: [\\d.]+ s; \
                of 2,000 images they differ from one machine's by (\\S+)
                .*one machine: accuracy (0\\.\\d{4}) of 2,000 images
                local\\[1\\]: accuracy (0\\.\\d{4}), \
                0 of 20,000 scores differ from those of one machine, [\\d,]+ rows per second
                local\\[2\\]: accuracy (0\\.\\d{4}), \
                0 of 20,000 scores differ from those of one machine, [\\d,]+ rows per second
                """)
            .matcher(out);
    assertThat(lines.matches()).as(out).isTrue();
    assertThat(Double.parseDouble(lines.group(1))).isLessThanOrEqualTo(1e-12);
    assertThat(lines.group(3)).isEqualTo(lines.group(2));
    assertThat(lines.group(4)).isEqualTo(lines.group(2));
  }

  @ParameterizedTest
  @CsvSource({
    "--partitions, 0, --partitions (0) must be from 1 to 10000",
    "--partitions, 10001, --partitions (10001) must be from 1 to 10000",
    "--partitions, few, Invalid value for option '--partitions': 'few' is not an int",
    "--steps, 0, --steps (0) must be at least 1",
    "--data, no/such/folder, --data (no/such/folder) must be an existing folder",
    "--master, there, --master (there) cannot be used: Could not parse Master URL: 'there'",
    "--master, local[0], --master (local[0]) cannot be used: Asked to run locally with 0 threads",
    "--colour, red, 'Unknown options: ''--colour'', ''red'''",
  })
  void a_bad_option_is_refused_in_one_line(String option, String value, String message) {
    assertThat(execute(option, value)).isEqualTo(2);
    assertThat(err.toString()).startsWith(message).endsWith("\n").containsOnlyOnce("\n");
  }

  @Test
  void a_folder_without_digits_is_refused(@TempDir Path folder) {
    assertThat(execute("--data", folder.toString())).isEqualTo(2);
    assertThat(err.toString())
        .isEqualTo(
            folder
                + " has neither train-images-idx3-ubyte nor train-images.idx3-ubyte, plain or .gz"
                + System.lineSeparator());
  }

  @ParameterizedTest
  @CsvSource({"-h", "--help"})
  void help_names_every_option(String help) {
    String out = capture(() -> assertThat(execute(help)).isZero());

    assertThat(out).contains("--master=URL", "--data=DIR", "--partitions=N", "--steps=N");
  }
}
