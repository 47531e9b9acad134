package io.github.batchnorm.example;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MatrixFileTest {
  private Path file;
  private String quoted;

  @BeforeEach
  void name(@TempDir Path folder) {
    file = folder.resolve("x.csv");
    quoted = '"' + file.toString() + '"';
  }

  private NamedMatrix read(String text) throws IOException, DataException {
    Files.writeString(file, text);
    return MatrixFile.read(file);
  }

  @Test
  void numbers_in_every_notation_are_read() throws IOException, DataException {
    NamedMatrix matrix = read("\uFEFF 1 , -2.5,.5\r\n\r\n+3.,1e-300,-0.0\r\n4.9e-324,1E2,7");

    assertThat(matrix.values())
        .isDeepEqualTo(
            new double[][] {{1, -2.5, 0.5}, {3, 1e-300, -0.0}, {Double.MIN_VALUE, 100, 7}});
    assertThat(matrix.names()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1,2#3,4",
        "1;2#3;4",
        "1\t2#3\t4",
        "\"1\",2#\"3\",\"4\"",
        "\"1\" ; 2#3;4",
        "#1,2##3,4#",
      })
  void commas_semicolons_tabs_and_quotes_separate_values(String lines)
      throws IOException, DataException {
    NamedMatrix matrix = read(lines.replace('#', '\n').replace("\\t", "\t"));

    assertThat(matrix.values()).isDeepEqualTo(new double[][] {{1, 2}, {3, 4}});
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "height,weight#1,2#3,4              | height       | weight",
        "\"height\",\"weight\"#1,2#3,4  | height       | weight",
        "Größe (cm);_x#1;2#3;4              | Größe (cm)   | _x",
        "a\u001b[31m,e5#1,2#3,4 | a\u001b[31m | e5",
      })
  void the_first_line_may_name_the_columns(String lines, String first, String second)
      throws IOException, DataException {
    NamedMatrix matrix = read(lines.replace('#', '\n'));

    assertThat(matrix.names()).containsExactly(first, second);
    assertThat(matrix.values()).isDeepEqualTo(new double[][] {{1, 2}, {3, 4}});
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a,b,c,d,e,f,g,h\n"})
  void twelve_rows_of_eight_are_the_most(String names) throws IOException, DataException {
    NamedMatrix matrix = read(names + "1,2,3,4,5,6,7,8\n".repeat(12));

    assertThat(matrix.values()).hasDimensions(12, 8);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1,2#3,x    | line 2: value 2 is \"x\", expected a number; the values are separated by commas",
        "1,2#3,     | line 2: value 2 is \"\", expected a number; the values are separated by commas",
        "a,b#c,d    | line 2: value 1 is \"c\", expected a number; the values are separated by commas",
        "1,2#NaN,3  | line 2: value 1 is \"NaN\", expected a number; the values are separated by commas",
        "1,2#1d,3   | line 2: value 1 is \"1d\", expected a number; the values are separated by commas",
        "1,2#0x1p3,3 | line 2: value 1 is \"0x1p3\", expected a number; the values are separated by commas",
        "1,5;2,5#3;4 | line 1: value 1 is \"1,5\", expected a number, or a name in every column; the values are separated by semicolons",
        "a\tb#1.5\t1 2 | line 2: value 2 is \"1 2\", expected a number; the values are separated by tabs",
        "1 2#3 4    | line 1: value 1 is \"1 2\", expected a number, or a name in every column; no comma, semicolon or tab separates values",
        "1,x#3,4    | line 1: value 2 is \"x\", expected a number, or a name in every column; the values are separated by commas",
        ",a#0,1#1,2 | line 1: value 1 is \"\", expected a number, or a name in every column; the values are separated by commas",
        "NaN,b#1,2#3,4 | line 1: value 1 is \"NaN\", expected a number, or a name in every column; the values are separated by commas",
        "1,2#1e999,3 | line 2: value 1 is 1e999, too large for a double",
        "1,2##3     | line 3: has 1 value, expected 2 as in the first row; the values are separated by commas",
        "a,b##3,4,5 | line 3: has 3 values, expected 2 as in the first row; the values are separated by commas",
        "a,b#1;2    | line 2: has 1 value, expected 2 as in the first row; the values are separated by commas",
        "1,2,3,4,5,6,7,8,9           | line 1: has 9 values, expected at most 8",
        "1#2#3#4#5#6#7#8#9#10#11#12#13 | line 13: is row 13, expected at most 12 rows",
      })
  void a_bad_line_is_refused_with_its_number(String lines, String message) {
    String text = lines.replace('#', '\n').replace("\\t", "\t");

    assertThatThrownBy(() -> read(text))
        .isInstanceOf(DataException.class)
        .hasMessage(quoted + ", " + message);
  }

  @ParameterizedTest
  @CsvSource({"'1,2', 1 row", "'a,b#1,2', 1 row", "'#', 0 rows", "'a,b', 0 rows"})
  void a_file_with_fewer_than_two_rows_is_refused(String lines, String rows) {
    assertThatThrownBy(() -> read(lines.replace('#', '\n')))
        .isInstanceOf(DataException.class)
        .hasMessage(quoted + " has " + rows + " of numbers, expected at least 2");
  }

  /** A pattern that tries one digit less each time would take minutes. */
  @ParameterizedTest
  @ValueSource(strings = {"1", ".1", "1e1", "1,", "-", "\"", "a,"})
  @Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void a_file_as_large_as_may_be_is_refused_at_once(String part) {
    String line = part.repeat(99_900 / part.length()) + "x\n";

    assertThatThrownBy(() -> read(line)).isInstanceOf(DataException.class); // the first line
    assertThatThrownBy(() -> read("0\n" + line)).isInstanceOf(DataException.class);
  }

  @Test
  void a_long_wrong_value_is_shortened() throws IOException {
    assertThatThrownBy(() -> read("1\n" + "x".repeat(41)))
        .hasMessage(
            quoted
                + ", line 2: value 1 is \""
                + "x".repeat(40)
                + "...\", expected a number; no comma, semicolon or tab separates values");
  }

  @Test
  void a_file_that_is_no_text_is_refused() throws IOException {
    Files.writeString(file, "1,é\n", ISO_8859_1);

    assertThatThrownBy(() -> MatrixFile.read(file))
        .isInstanceOf(DataException.class)
        .hasMessage(quoted + " is not a text in UTF-8");
  }

  @Test
  void a_large_file_is_refused() throws IOException {
    Files.writeString(file, "\n".repeat(100_001));

    assertThatThrownBy(() -> MatrixFile.read(file))
        .isInstanceOf(DataException.class)
        .hasMessage(quoted + " is too large: more than 100000 bytes");
  }

  @Test
  void a_missing_file_and_a_folder_are_refused() {
    assertThatThrownBy(() -> MatrixFile.read(file))
        .isInstanceOf(DataException.class)
        .hasMessage(quoted + " does not exist");
    assertThatThrownBy(() -> MatrixFile.read(file.getParent()))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith('"' + file.getParent().toString() + "\" cannot be read: ");
    assertThatThrownBy(() -> MatrixFile.read(Path.of("")))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith("\"\" cannot be read: ");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void a_file_without_an_end_is_refused() {
    assertThatThrownBy(() -> MatrixFile.read(Path.of("/dev/zero")))
        .isInstanceOf(DataException.class)
        .hasMessage("\"/dev/zero\" is too large: more than 100000 bytes");
  }
}
