package io.github.batchnorm.benchmark;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/** The tables: a row per size, a column per contender. */
final class Report {
  private final String method;
  private final List<String> sizes;
  private final List<Score> scores;

  private Report(String method, List<String> sizes, List<Score> scores) {
    this.method = method;
    this.sizes = sizes;
    this.scores = scores.stream().filter(score -> score.method().equals(method)).toList();
  }

  /** Prints the tables of all methods. */
  static void print(
      List<String> methods, List<String> sizes, List<String> contenders, List<Score> scores) {
    for (String method : methods) {
      Report report = new Report(method, sizes, scores);
      report.times(contenders);
      report.bytes(contenders);
      if (contenders.stream().anyMatch(Contenders.LIBTORCH::contains)) {
        report.ratios(contenders);
      }
    }
  }

  private void times(List<String> contenders) {
    print("microseconds per call", columns(contenders), s -> Table.digits(s.micros(), 3));
  }

  private void bytes(List<String> contenders) {
    print(
        "bytes allocated per call in the Java heap",
        columns(contenders),
        s -> String.format(Locale.ROOT, "%,.0f", s.bytes()));
  }

  /** The better of 1 and 2 threads stands for libtorch. */
  private void ratios(List<String> contenders) {
    List<Column> columns =
        new ArrayList<>(columns(contenders.stream().filter(c -> !c.startsWith("lib")).toList()));
    if (contenders.stream().anyMatch(Contenders.LIBTORCH_COPY::contains)) {
      columns.add(new Column("libtorch from double[][]", Contenders.LIBTORCH_COPY));
    }
    print(
        "times as fast as libtorch",
        columns,
        s -> Table.digits(best(s.size(), Contenders.LIBTORCH).micros() / s.micros(), 2));
  }

  private void print(String what, List<Column> columns, Function<Score, String> cell) {
    List<String> head = new ArrayList<>(List.of("N x D"));
    columns.forEach(column -> head.add(column.name()));
    Table table = new Table(head);
    for (String size : sizes) {
      List<String> row = new ArrayList<>(List.of(size));
      columns.forEach(column -> row.add(cell.apply(best(size, column.contenders()))));
      table.add(row);
    }
    table.print(method + ", " + what);
  }

  private static List<Column> columns(List<String> contenders) {
    return contenders.stream().map(name -> new Column(name, List.of(name))).toList();
  }

  private Score best(String size, List<String> contenders) {
    return scores.stream()
        .filter(score -> score.size().equals(size) && contenders.contains(score.contender()))
        .min(Comparator.comparingDouble(Score::micros))
        .orElseThrow();
  }

  /** A column shows the fastest of its contenders. */
  private record Column(String name, List<String> contenders) {}
}
