package io.github.batchnorm.benchmark;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/** The tables of a method: a row per value of the parameter, a column per contender. */
final class Report {
  private final Suite suite;
  private final String method;
  private final List<Score> scores;

  private Report(Suite suite, String method, List<Score> scores) {
    this.suite = suite;
    this.method = method;
    this.scores = scores.stream().filter(score -> score.method().equals(method)).toList();
  }

  /** Prints the tables of all methods. */
  static void print(Suite suite, List<Score> scores) {
    for (String method : suite.methods()) {
      Report report = new Report(suite, method, scores);
      report.times();
      report.bytes();
      if (suite.contenders().stream().anyMatch(Contenders.LIBTORCH::contains)) {
        report.ratios();
      }
    }
  }

  private void times() {
    print(scores.get(0).unit(), columns(suite.contenders()), s -> Table.digits(s.time(), 3));
  }

  private void bytes() {
    print(
        "bytes/op allocated in the Java heap",
        columns(suite.contenders()),
        s -> String.format(Locale.ROOT, "%,.0f", s.bytes()));
  }

  /** The better of 1 and 2 threads stands for libtorch. */
  private void ratios() {
    List<String> contenders = suite.contenders();
    List<Column> columns =
        new ArrayList<>(columns(contenders.stream().filter(c -> !c.startsWith("lib")).toList()));
    if (contenders.stream().anyMatch(Contenders.LIBTORCH_COPY::contains)) {
      columns.add(new Column("libtorch from double[][]", Contenders.LIBTORCH_COPY));
    }
    print(
        "times as fast as libtorch",
        columns,
        s -> Table.digits(best(s.value(), Contenders.LIBTORCH).time() / s.time(), 2));
  }

  private void print(String what, List<Column> columns, Function<Score, String> cell) {
    List<String> head = new ArrayList<>(List.of(suite.head()));
    columns.forEach(column -> head.add(column.name()));
    Table table = new Table(head);
    for (String value : suite.values()) {
      List<String> row = new ArrayList<>(List.of(value));
      columns.forEach(column -> row.add(cell.apply(best(value, column.contenders()))));
      table.add(row);
    }
    table.print(method + ", " + what);
  }

  private static List<Column> columns(List<String> contenders) {
    return contenders.stream().map(name -> new Column(name, List.of(name))).toList();
  }

  private Score best(String value, List<String> contenders) {
    return scores.stream()
        .filter(score -> score.value().equals(value) && contenders.contains(score.contender()))
        .min(Comparator.comparingDouble(Score::time))
        .orElseThrow();
  }

  /** A column shows the fastest of its contenders. */
  private record Column(String name, List<String> contenders) {}
}
