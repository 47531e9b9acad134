package io.github.batchnorm.example;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MatrixFileTest {
  private Path file;
  private String quoted;

  @BeforeEach
  void name(@TempDir Path folder) {
    file = folder.resolve("x.csv");
    quoted = '"' + file.toString() + '"';
  }

  @Test
  void numbers_in_every_notation_are_read() throws IOException, DataException {
    Files.writeString(file, "\uFEFF 1 , -2.5,.5\r\n\r\n+3.,1e-300,-0.0\r\n4.9e-324,1E2,7");

    assertThat(MatrixFile.read(file))
        .isDeepEqualTo(
            new double[][] {{1, -2.5, 0.5}, {3, 1e-300, -0.0}, {Double.MIN_VALUE, 100, 7}});
  }

  @Test
  void twelve_rows_of_eight_are_the_most() throws IOException, DataException {
    Files.writeString(file, "1,2,3,4,5,6,7,8\n".repeat(12));
    double[][] matrix = MatrixFile.read(file);

    assertThat(matrix).hasDimensions(12, 8);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1,2;3,x         | , line 2: value 2 is \"x\", expected a number",
        "1,2;3,          | , line 2: value 2 is \"\", expected a number",
        "a,b;1,2         | , line 1: value 1 is \"a\", expected a number",
        "1 2;3 4         | , line 1: value 1 is \"1 2\", expected a number",
        "1,2;NaN,3       | , line 2: value 1 is \"NaN\", expected a number",
        "1,2;1d,3        | , line 2: value 1 is \"1d\", expected a number",
        "1,2;0x1p3,3     | , line 2: value 1 is \"0x1p3\", expected a number",
        "1,2;1e999,3     | , line 2: value 1 is 1e999, too large for a double",
        "1,2;;3          | , line 3: has 1 values, expected 2 as in the first row",
        "1,2,3,4,5,6,7,8,9 | , line 1: has 9 values, expected at most 8",
        "1;2;3;4;5;6;7;8;9;10;11;12;13 | , line 13: is row 13, expected at most 12 rows",
        "1,2             | ' has 1 rows of numbers, expected at least 2'",
        ";               | ' has 0 rows of numbers, expected at least 2'",
      })
  void a_bad_file_is_refused_with_its_name_and_line(String lines, String message)
      throws IOException {
    Files.writeString(file, lines.replace(';', '\n'));

    assertThatThrownBy(() -> MatrixFile.read(file))
        .isInstanceOf(DataException.class)
        .hasMessage(quoted + message);
  }

  @Test
  void a_long_wrong_value_is_shortened() throws IOException {
    Files.writeString(file, "x".repeat(41));

    assertThatThrownBy(() -> MatrixFile.read(file))
        .hasMessage(
            quoted + ", line 1: value 1 is \"" + "x".repeat(40) + "...\", expected a number");
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
