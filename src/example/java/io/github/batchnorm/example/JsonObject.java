package io.github.batchnorm.example;

import java.util.Arrays;
import java.util.List;
import java.util.StringJoiner;

/**
 * Writes a JSON object of texts, numbers, vectors and matrices, which may stand in a script element
 * of a web page: no text can end that element.
 *
 * <p>A finite double in the notation of {@link Double#toString} is a JSON number, and JavaScript
 * reads the same bits from it: -0.0 and 4.9E-324 too. JSON has no NaN and no infinity: those are
 * refused.
 */
final class JsonObject {
  private final StringJoiner members = new StringJoiner(",\n", "{\n", "\n}");

  JsonObject add(String name, double number) {
    return addJson(name, Double.toString(finite(name, number)));
  }

  JsonObject add(String name, double[] vector) {
    for (int j = 0; j < vector.length; j++) {
      finite(name + "[" + j + "]", vector[j]);
    }
    return addJson(name, Arrays.toString(vector));
  }

  JsonObject add(String name, double[][] matrix) {
    for (int i = 0; i < matrix.length; i++) {
      for (int j = 0; j < matrix[i].length; j++) {
        finite(name + "[" + i + "][" + j + "]", matrix[i][j]);
      }
    }
    return addJson(name, Arrays.deepToString(matrix));
  }

  JsonObject add(String name, String text) {
    return addJson(name, quote(text));
  }

  JsonObject add(String name, List<String> texts) {
    return addJson(name, texts.stream().map(JsonObject::quote).toList().toString());
  }

  private JsonObject addJson(String name, String json) {
    members.add(quote(name) + ": " + json);
    return this;
  }

  private static double finite(String name, double value) {
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException(name + " is " + value + ", expected a finite value");
    }
    return value;
  }

  /** Escapes all but letters, digits and a few others; so no list of what is special is needed. */
  private static String quote(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      boolean plain = c < 128 && Character.isLetterOrDigit(c) || " .,-_".indexOf(c) >= 0;
      json.append(plain ? String.valueOf(c) : String.format("\\u%04x", (int) c));
    }
    return json.append('"').toString();
  }

  @Override
  public String toString() {
    return members.toString();
  }
}
