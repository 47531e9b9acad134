package io.github.batchnorm.example;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** The options, the files and the exit codes; what the page shows: {@link GraphPageBrowserTest}. */
class GraphPageTest {
  @TempDir private Path folder;
  private Path page;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeEach
  void name() {
    page = folder.resolve("new").resolve("page.html");
  }

  private int execute(String... args) {
    CommandLine program = GraphPage.commandLine();
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
        "--gamma 1,2,3   | --gamma has length 3, expected 2 as x has columns",
        "--beta 1        | --beta has length 1, expected 2 as x has columns",
        "--epsilon x     | Invalid value for option '--epsilon': 'x' is not a double",
        "--csv missing   | \"missing\" does not exist",
        "--dout missing  | \"missing\" does not exist",
        "--nonsense      | Unknown option: '--nonsense'",
      })
  void a_bad_option_is_refused_in_one_line_with_exit_code_2(String options, String message) {
    assertThat(execute((options + " --output " + page).split(" +"))).isEqualTo(2);

    assertThat(err.toString()).startsWith(message).endsWith(" (see --help)\n").hasLineCount(1);
    assertThat(page).doesNotExist();
  }

  /** The message is the library's. */
  @ParameterizedTest
  @ValueSource(strings = {"--epsilon 0", "--gamma NaN,1", "--gamma 1e308,1"})
  void what_the_layer_refuses_is_said_in_one_line(String options) {
    assertThat(execute((options + " --output " + page).split(" "))).isEqualTo(2);

    assertThat(err.toString()).endsWith(" (see --help)\n").hasLineCount(1);
    assertThat(page).doesNotExist();
  }

  @Test
  void a_dout_of_another_shape_is_refused() throws IOException {
    Path dout = file("dout.csv", "1,2\n3,4\n");

    assertThat(execute("--dout", dout.toString())).isEqualTo(2);
    assertThat(err)
        .hasToString("\"" + dout + "\" has shape (2, 2), expected (3, 2) as x (see --help)\n");
  }

  @Test
  void a_page_that_cannot_be_written_gives_exit_code_1() throws IOException {
    Path inFile = file("no folder", "").resolve("page.html");
    assertThat(execute("--output", inFile.toString())).isEqualTo(1);

    assertThat(err.toString()).startsWith("cannot write " + inFile + ": ").hasLineCount(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "", ".", "java"})
  void a_folder_is_no_place_for_the_page(String output) {
    assertThat(execute("--output", output)).isEqualTo(2);

    assertThat(err).hasToString("--output (" + output + ") must be a file (see --help)\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-h", "--help"})
  void help_names_every_option(String help) {
    assertThat(execute(help)).isZero();

    assertThat(out.toString())
        .contains("--csv=FILE", "--gamma=NUMBER", "--beta=NUMBER", "--epsilon=NUMBER")
        .contains("--dout=FILE", "--output=FILE", "--help");
  }
}
