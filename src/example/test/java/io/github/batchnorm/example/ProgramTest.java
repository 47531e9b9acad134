package io.github.batchnorm.example;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What all programs do alike; the options of each are in the test of its own. */
class ProgramTest {
  /** Does whatever its option says. */
  @Command(name = "sample")
  private static final class Sample extends Program {
    @Option(names = "--csv", description = "a file")
    private String csv;

    @Option(names = "--steps", description = "a number")
    private int steps;

    @Override
    void run() throws DataException, IOException {
      if (steps < 0) {
        throw bad("--steps (" + steps + ") must be at least 0");
      }
      if ("wrong".equals(csv)) {
        throw new DataException("the file\n is \u001b[31mwrong");
      }
      if ("full".equals(csv)) {
        throw new IOException("cannot write");
      }
      print("%,.1f done", 1234.5);
    }
  }

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int execute(String... args) {
    CommandLine program = new Sample().commandLine();
    program.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
    return program.execute(args);
  }

  @Test
  void a_program_that_does_its_work_ends_with_exit_code_0() {
    assertThat(execute()).isZero();
    assertThat(out).hasToString("1,234.5 done\n");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void an_option_with_a_wrong_value_gives_exit_code_2_and_leads_to_the_help() {
    assertThat(execute("--steps", "-1")).isEqualTo(2);
    assertThat(err).hasToString("--steps (-1) must be at least 0 (see --help)\n");
  }

  @Test
  void a_wrong_file_gives_exit_code_2_and_one_line_without_control_characters() {
    assertThat(execute("--csv", "wrong")).isEqualTo(2);
    assertThat(err).hasToString("the file\\u000a is \\u001b[31mwrong\n");
  }

  @Test
  void a_file_that_cannot_be_written_gives_exit_code_1() {
    assertThat(execute("--csv", "full")).isEqualTo(1);
    assertThat(err).hasToString("cannot write\n");
  }

  @ParameterizedTest
  @CsvSource({
    "--cvs, --csv",
    "--csvs, --csv",
    "--cs, --csv",
    "--stpes, --steps",
    "--STEPS, ''",
    "--hlep, --help",
    "--nonsense, ''",
  })
  void a_mistyped_option_is_answered_with_the_one_that_it_resembles(String typed, String meant) {
    assertThat(execute(typed, "5")).isEqualTo(2);
    assertThat(err)
        .hasToString(
            "Unknown options: '%s', '5'%s (see --help)\n"
                .formatted(typed, meant.isEmpty() ? "" : "; did you mean " + meant + "?"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"-h", "--help"})
  void help_has_the_program_s_own_options_first_and_the_exit_codes_last(String help) {
    assertThat(execute(help)).isZero();
    assertThat(out.toString()).containsSubsequence("--csv", "--steps", "-h, --help", "Exit codes:");
  }

  /** Escape, delete, the 8-bit escape, right to left, end of a line, half a character. */
  @ParameterizedTest
  @ValueSource(chars = {'\u001b', '\u007f', '\u009b', '\u202e', '\u2028', '\r', '\ud83d'})
  void what_a_terminal_acts_on_is_printed_as_an_escape(char c) {
    assertThat(Program.printable("a" + c + "b")).isEqualTo("a\\u%04xb".formatted((int) c));
  }

  @Test
  void what_can_be_read_is_printed_as_it_is() {
    assertThat(Program.printable("\"ε \\ 漢 😀\"")).isEqualTo("\"ε \\ 漢 😀\"");
  }
}
