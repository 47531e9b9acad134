package io.github.batchnorm;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One case of the conformance files, or of what a release has saved. The README beside the files
 * says what they hold and where they come from.
 */
record Vectors(String name, Map<String, double[][]> arrays) {

  /** All cases of a file next to this class. */
  static List<Vectors> read(String file) {
    try (var in =
        new BufferedReader(
            new InputStreamReader(
                Vectors.class.getResourceAsStream(file), StandardCharsets.US_ASCII))) {
      List<Vectors> cases = new ArrayList<>();
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        String[] words = line.split(" ");
        switch (words[0]) {
          case "case" -> cases.add(new Vectors(words[1], new LinkedHashMap<>()));
          case "", "end" -> {}
          default -> cases.get(cases.size() - 1).put(words, in);
        }
      }
      return cases;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void put(String[] words, BufferedReader in) throws IOException {
    if (words.length == 2 && words[1].matches("[a-z]+")) {
      arrays.put(words[0] + " " + words[1], new double[0][]);
    } else {
      arrays.put(words[0], array(words, in));
    }
  }

  /** {@code key value}, {@code key D} with one line to come, or {@code key N D} with N lines. */
  private static double[][] array(String[] words, BufferedReader in) throws IOException {
    boolean scalar = words.length == 2 && !words[1].matches("[0-9]+");
    if (scalar) {
      return new double[][] {{Double.parseDouble(words[1])}};
    }
    int rows = words.length == 2 ? 1 : Integer.parseInt(words[1]);
    double[][] values = new double[rows][];
    for (int i = 0; i < rows; i++) {
      values[i] =
          Arrays.stream(in.readLine().split(" ")).mapToDouble(Double::parseDouble).toArray();
    }
    return values;
  }

  double[][] matrix(String key) {
    return arrays.get(key);
  }

  double[] vector(String key) {
    return arrays.get(key)[0];
  }

  double scalar(String key) {
    return arrays.get(key)[0][0];
  }

  /** Whether there is such a key or, for a word in place of a number, such a line. */
  boolean has(String key) {
    return arrays.containsKey(key);
  }

  /** A layer with the gamma, beta and eps of this case. */
  BatchNormLayer.Builder layer() {
    return BatchNormLayer.builder(vector("gamma").length)
        .gamma(vector("gamma"))
        .beta(vector("beta"))
        .epsilon(scalar("eps"));
  }

  @Override
  public String toString() {
    return name;
  }
}
