package io.github.batchnorm.example;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class AccuracyTableTest {
  private static String print(List<Measurement> without, List<Measurement> with) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    AccuracyTable.print(new Schedule(1000), without, with, new PrintStream(bytes, true, UTF_8));
    return bytes.toString(UTF_8).replace(System.lineSeparator(), "\n");
  }

  private static List<Measurement> measured(int... accuracies) {
    return Stream.iterate(1, k -> k + 1)
        .limit(accuracies.length)
        .map(k -> new Measurement(10 * k, accuracies[k - 1] / 10.0, 0, 0, 0))
        .toList();
  }

  @Test
  void a_row_has_both_accuracies_or_a_dash_for_what_was_not_measured() {
    assertThat(print(measured(1, 2, 3), measured(4, 5)))
        .isEqualTo(
            """

            Test accuracy
              step   without batch norm   with batch norm
                10               0.1000            0.4000
                20               0.2000            0.5000
                30               0.3000                 -
            """);
  }

  @Test
  void a_table_without_a_measurement_has_no_row() {
    assertThat(print(List.of(), List.of())).hasLineCount(3);
  }
}
