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

/**
 * A small matrix in a file: a line of numbers for each row, separated by commas. Empty lines do not
 * count. Every message names the file, and the line where there is one.
 */
final class MatrixFile {
  static final int MAX_ROWS = 12;
  static final int MAX_COLUMNS = 8;
  private static final int MIN_ROWS = 2; // one row has no variance
  private static final int MAX_BYTES = 100_000;

  /** {@link Double#parseDouble} takes 1d, 0x1p3 and NaN too. */
  private static final Pattern NUMBER =
      Pattern.compile("[-+]?(\\d+\\.?\\d*|\\.\\d+)([eE][-+]?\\d+)?");

  private static final String BYTE_ORDER_MARK = "\uFEFF"; // which some programs write first

  private final String file; // as the messages show it
  private final List<double[]> rows = new ArrayList<>();
  private int line;

  private MatrixFile(String file) {
    this.file = file;
  }

  /**
   * Reads a matrix of 2 to 12 rows and 1 to 8 columns.
   *
   * @return shape (N, D): a new array; all values are finite
   * @throws DataException if the file cannot be read or is not such a matrix
   */
  static double[][] read(Path file) throws DataException {
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

  private double[][] parse(String text) throws DataException {
    for (String values : text.replaceFirst("^" + BYTE_ORDER_MARK, "").lines().toList()) {
      line++;
      if (!values.isBlank()) {
        add(row(values));
      }
    }
    if (rows.size() < MIN_ROWS) {
      throw new DataException(
          "%s has %d rows of numbers, expected at least %d".formatted(file, rows.size(), MIN_ROWS));
    }
    return rows.toArray(double[][]::new);
  }

  private void add(double[] row) throws DataException {
    if (row.length > MAX_COLUMNS) {
      throw wrong("has %d values, expected at most %d".formatted(row.length, MAX_COLUMNS));
    }
    if (!rows.isEmpty() && row.length != rows.get(0).length) {
      throw wrong(
          "has %d values, expected %d as in the first row"
              .formatted(row.length, rows.get(0).length));
    }
    if (rows.size() == MAX_ROWS) {
      throw wrong("is row %d, expected at most %d rows".formatted(MAX_ROWS + 1, MAX_ROWS));
    }
    rows.add(row);
  }

  private double[] row(String text) throws DataException {
    String[] values = text.split(",", -1);
    double[] row = new double[values.length];
    for (int j = 0; j < row.length; j++) {
      row[j] = value(values[j].strip(), j + 1);
    }
    return row;
  }

  private double value(String text, int column) throws DataException {
    if (!NUMBER.matcher(text).matches()) {
      throw wrong("value %d is \"%s\", expected a number".formatted(column, shortened(text)));
    }
    double value = Double.parseDouble(text);
    if (!Double.isFinite(value)) {
      throw wrong("value %d is %s, too large for a double".formatted(column, shortened(text)));
    }
    return value;
  }

  private static String shortened(String text) {
    return text.length() <= 40 ? text : text.substring(0, 40) + "...";
  }

  private DataException wrong(String what) {
    return new DataException(file + ", line " + line + ": " + what);
  }
}
