package io.github.batchnorm.example;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A small matrix in a file: a line of numbers for each row, separated by commas, semicolons or
 * tabs, whichever the first line has. The first line may name the columns. Quotes around a value
 * and empty lines do not count. Every message names the file, and the line where there is one.
 */
final class MatrixFile {
  static final int MAX_ROWS = 12;
  static final int MAX_COLUMNS = 8;
  private static final int MIN_ROWS = 2; // one row has no variance
  private static final int MAX_BYTES = 100_000;

  /**
   * {@link Double#parseDouble} takes 1d, 0x1p3 and NaN too. What has been matched is not tried in
   * another way (++, *+, ?+), so the time is linear in the length.
   */
  private static final Pattern NUMBER =
      Pattern.compile("[-+]?(\\d++(\\.\\d*+)?+|\\.\\d++)([eE][-+]?\\d++)?+");

  /** What is no name, but a number or what stands in the place of a missing one. */
  private static final Pattern NO_NAME =
      Pattern.compile("(?is)|[-+.\\d].*|nan|inf|infinity|na|n/a|null");

  private static final String BYTE_ORDER_MARK = "\uFEFF"; // which some programs write first

  private final String file; // as the messages show it
  private final List<double[]> rows = new ArrayList<>();
  private List<String> names = List.of();
  private Separator separator; // of the first line
  private int columns; // of the first line
  private int line;

  private MatrixFile(String file) {
    this.file = file;
  }

  /**
   * Reads a matrix of 2 to 12 rows and 1 to 8 columns.
   *
   * @return a new matrix; all values are finite
   * @throws DataException if the file cannot be read or is not such a matrix
   */
  static NamedMatrix read(Path file) throws DataException {
    String name = quoted(file);
    try {
      return new MatrixFile(name).parse(text(file));
    } catch (IOException e) {
      throw DataException.unreadable(name, e);
    }
  }

  /** The name of a file as messages show it: a reader sees where it ends, even if it is empty. */
  static String quoted(Path file) {
    return '"' + file.toString() + '"';
  }

  private static String text(Path file) throws IOException, DataException {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(MAX_BYTES + 1); // the size of /dev/zero is 0
    }
    if (bytes.length > MAX_BYTES) {
      throw new DataException(quoted(file) + " is too large: more than " + MAX_BYTES + " bytes");
    }
    return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
  }

  private NamedMatrix parse(String text) throws DataException {
    for (String values : text.replaceFirst("^" + BYTE_ORDER_MARK, "").lines().toList()) {
      line++;
      if (!values.isBlank()) {
        add(values);
      }
    }
    if (rows.size() < MIN_ROWS) {
      throw new DataException(
          "%s has %s of numbers, expected at least %d"
              .formatted(file, count(rows.size(), "row"), MIN_ROWS));
    }
    return new NamedMatrix(rows.toArray(double[][]::new), names);
  }

  private void add(String text) throws DataException {
    boolean first = separator == null;
    if (first) {
      separator = Separator.of(text);
    }
    List<String> values = separator.split(text);
    if (first) {
      columns = values.size();
    }
    checkSize(values.size());
    if (first && values.stream().noneMatch(value -> NO_NAME.matcher(value).matches())) {
      names = values;
    } else {
      rows.add(row(values, first ? "a number, or a name in every column" : "a number"));
    }
  }

  private void checkSize(int values) throws DataException {
    if (values > MAX_COLUMNS) {
      throw wrong("has %d values, expected at most %d".formatted(values, MAX_COLUMNS));
    }
    if (values != columns) {
      throw wrong(
          "has %s, expected %d as in the first row; %s"
              .formatted(count(values, "value"), columns, separator.found));
    }
    if (rows.size() == MAX_ROWS) {
      throw wrong("is row %d, expected at most %d rows".formatted(MAX_ROWS + 1, MAX_ROWS));
    }
  }

  private double[] row(List<String> values, String expected) throws DataException {
    double[] row = new double[values.size()];
    for (int j = 0; j < row.length; j++) {
      row[j] = value(values.get(j), "value " + (j + 1), expected);
    }
    return row;
  }

  private double value(String text, String which, String expected) throws DataException {
    if (!NUMBER.matcher(text).matches()) {
      throw wrong(
          "%s is \"%s\", expected %s; %s"
              .formatted(which, shortened(text), expected, separator.found));
    }
    double value = Double.parseDouble(text);
    if (!Double.isFinite(value)) {
      throw wrong("%s is %s, too large for a double".formatted(which, shortened(text)));
    }
    return value;
  }

  private static String count(int n, String what) {
    return n + " " + what + (n == 1 ? "" : "s");
  }

  private static String shortened(String text) {
    return text.length() <= 40 ? text : text.substring(0, 40) + "...";
  }

  private DataException wrong(String what) {
    return new DataException(file + ", line " + line + ": " + what);
  }

  private enum Separator {
    TAB("\t", "the values are separated by tabs"),
    SEMICOLON(";", "the values are separated by semicolons"),
    COMMA(",", "the values are separated by commas"),
    NONE("\n", "no comma, semicolon or tab separates values");

    private final String text;
    private final String found; // as messages say it

    Separator(String text, String found) {
      this.text = text;
      this.found = found;
    }

    /** The one in a line. In a line with semicolons, a comma is the decimal point of a number. */
    static Separator of(String line) {
      return Stream.of(TAB, SEMICOLON, COMMA)
          .filter(separator -> line.contains(separator.text))
          .findFirst()
          .orElse(NONE);
    }

    List<String> split(String line) {
      return Stream.of(line.split(text, -1)).map(String::strip).map(Separator::unquoted).toList();
    }

    private static String unquoted(String value) {
      boolean quoted = value.length() > 1 && value.startsWith("\"") && value.endsWith("\"");
      return quoted ? value.substring(1, value.length() - 1) : value;
    }
  }
}
