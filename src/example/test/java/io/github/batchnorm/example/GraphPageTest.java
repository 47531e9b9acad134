package io.github.batchnorm.example;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** The options, the files and the exit codes. {@link PageValuesTest} tests what the page shows. */
class GraphPageTest {
  @TempDir private Path folder;
  private Path page;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeEach
  void name() {
    page = folder.resolve("page.html");
  }

  private int execute(String... args) {
    CommandLine program = new GraphPage().commandLine();
    program.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
    return program.execute(args);
  }

  private Path file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  @Test
  void without_options_the_page_has_the_example_worked_by_hand() throws IOException {
    assertThat(execute("--output", page.toString())).isZero();

    // gamma, beta, dx: see the library's HandWorkedTest
    assertThat(Files.readString(page))
        .contains("\"gamma\": [2.0, -4.0]", "\"beta\": [1.0, 3.0]", "\"epsilon\": 2.0")
        .contains("\"dx\": [[-1.25, -1.5], [1.75, 2.625], [-0.5, -1.125]]");
    assertThat(out).hasToString("Wrote " + page + ": open it in a browser\n");
  }

  @Test
  void a_file_gets_the_defaults_of_the_layer_and_the_same_dout_each_time() throws IOException {
    Path x = file("my x.csv", "1,2,3\n4,5,7\n");
    assertThat(execute("--csv", x.toString(), "--output", page.toString())).isZero();
    String first = Files.readString(page);
    assertThat(execute("--csv", x.toString(), "--output", page.toString())).isZero();

    assertThat(first)
        .contains("\"x\": [[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]]")
        .contains("\"gamma\": [1.0, 1.0, 1.0]", "\"beta\": [0.0, 0.0, 0.0]", "\"epsilon\": 1.0E-5")
        .contains("\"source\": \"x is my x.csv, dout is drawn at random\"")
        .isEqualTo(Files.readString(page));
  }

  @Test
  void every_setting_can_be_given() throws IOException {
    Path x = file("x.csv", "1,2\n4,5\n");
    Path dout = file("dout.csv", "-1,0.5\n2,-0.25\n");
    int exitCode =
        execute(
            "--csv",
            x.toString(),
            "--gamma",
            "-2,3",
            "--beta",
            "-1,1e-3",
            "--epsilon",
            "0.5",
            "--dout",
            dout.toString(),
            "--output",
            page.toString());

    assertThat(exitCode).as(err.toString()).isZero();
    assertThat(Files.readString(page))
        .contains("\"gamma\": [-2.0, 3.0]", "\"beta\": [-1.0, 0.001]", "\"epsilon\": 0.5")
        .contains("\"dout\": [[-1.0, 0.5], [2.0, -0.25]]")
        .contains("\"source\": \"x is x.csv, dout is dout.csv\"");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--gamma 1,2,3   | --gamma has length 3, expected 2, one for each column of x",
        "--beta 1        | --beta has length 1, expected 2, one for each column of x",
        "--gamma NaN,1   | gamma[0] is NaN, expected a finite value",
        "--gamma 1e308,1 | divar of column 0",
        "--epsilon x     | Invalid value for option '--epsilon': 'x' is not a double",
        "--epsilon 0     | --epsilon (0.0) must be from 1.0E-300 to 1.0E290",
        "--epsilon NaN   | --epsilon (NaN) must be from 1.0E-300 to 1.0E290",
        "--epsilon 2e290 | --epsilon (2.0E290) must be from 1.0E-300 to 1.0E290",
        "--cvs x         | Unknown options: '--cvs', 'x'; did you mean --csv?",
      })
  void a_bad_option_is_refused_in_one_line_with_exit_code_2(String options, String message) {
    assertThat(execute((options + " --output " + page).split(" +"))).isEqualTo(2);

    assertThat(err.toString()).startsWith(message).endsWith(" (see --help)\n").hasLineCount(1);
    assertThat(page).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.0E-300", "1.0E290"})
  void the_least_and_the_largest_epsilon_that_help_names_are_taken(String epsilon) {
    assertThat(execute("--help")).isZero();
    assertThat(out.toString()).contains("from 1.0E-300 to 1.0E290");
    assertThat(execute("--epsilon", epsilon, "--output", page.toString())).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"--csv", "--dout"})
  void a_missing_file_is_refused(String option) {
    assertThat(execute(option, "missing")).isEqualTo(2);

    assertThat(err).hasToString("\"missing\" does not exist\n");
  }

  @Test
  void a_dout_of_another_shape_is_refused() throws IOException {
    Path dout = file("dout.csv", "1,2\n3,4\n");

    assertThat(execute("--dout", dout.toString())).isEqualTo(2);
    assertThat(err)
        .hasToString("\"" + dout + "\" has shape (2, 2), expected (3, 2), the shape of x\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"--csv", "--dout"})
  void a_page_does_not_take_the_place_of_its_data(String option) throws IOException {
    Path data = file("data.csv", "1,2\n3,4\n5,7\n");

    assertThat(execute(option, data.toString(), "--output", data.toString())).isEqualTo(2);
    assertThat(err.toString()).contains("must be another file than " + option);
    assertThat(data).hasContent("1,2\n3,4\n5,7\n");
  }

  @Test
  void the_names_of_the_columns_get_to_the_page() throws IOException {
    Path x = file("x.csv", "height,\"</script>\"\n1,2\n4,5\n");
    assertThat(execute("--csv", x.toString(), "--output", page.toString())).isZero();

    assertThat(page).content().contains("\"names\": [\"height\", \"\\u003c\\u002fscript\\u003e\"]");
  }

  @Test
  void what_a_file_says_cannot_reach_the_terminal_as_an_escape_sequence() throws IOException {
    Path x = file("x.csv", "1,2\n\u001b[31m,2\n");
    assertThat(execute("--csv", x.toString(), "--output", page.toString())).isEqualTo(2);

    assertThat(err.toString()).contains(": value 1 is \"\\u001b[31m\", expected a number; ");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS) // nobody forbids root to write, but for /proc
  void a_page_that_cannot_be_written_gives_exit_code_1() {
    assertThat(execute("--output", "/proc/page.html")).isEqualTo(1);

    assertThat(err.toString())
        .startsWith("cannot write /proc/page.html: ")
        .doesNotContain(".tmp")
        .hasLineCount(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "", ".", "java"})
  void a_folder_is_no_place_for_the_page(String output) {
    assertThat(execute("--output", output)).isEqualTo(2);

    assertThat(err).hasToString("--output (" + output + ") must be a file (see --help)\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"missing", "page.html/x", "missing/page.html"})
  void a_page_in_a_folder_that_does_not_exist_is_refused_and_nothing_is_made(String parent)
      throws IOException {
    file("page.html", "old");
    Path output = folder.resolve(parent).resolve("page.html");
    assertThat(execute("--output", output.toString())).isEqualTo(2);

    assertThat(err)
        .hasToString(
            "--output (%s) must be in a folder that exists: create it first (see --help)\n"
                .formatted(output));
    assertThat(folder).isDirectoryNotContaining("glob:**missing");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS) // only administrators make links
  void a_link_is_followed_unless_it_leads_nowhere() throws IOException {
    Path old = file("old.html", "old");
    Path link = Files.createSymbolicLink(page, old);
    assertThat(execute("--output", link.toString())).isZero();
    assertThat(link).isSymbolicLink();
    assertThat(old).content().startsWith("<!doctype html>");

    Files.delete(old);
    assertThat(execute("--output", link.toString())).isEqualTo(2);
    assertThat(err)
        .hasToString(
            "--output (%s) is a link to a file that does not exist (see --help)\n".formatted(link));
  }

  /** A line that picocli has to break twice leaves a rest of a few letters. */
  @Test
  void help_names_every_option_in_lines_that_are_filled() {
    assertThat(execute("--help")).isZero();

    assertThat(out.toString())
        .contains("--csv=FILE", "--gamma=NUMBER", "--beta=NUMBER", "--epsilon=NUMBER")
        .contains("--dout=FILE", "--output=FILE", "--help")
        .contains("with the values of one small\nmini-batch, as a web page")
        .contains("it shows the 3 x 2\nexample that the tests work by hand.\n");
  }
}
