package io.github.batchnorm;

import static io.github.batchnorm.Snapshot.assertSameBits;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.ObjectInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What a release has saved, this version loads: the files in the folder {@code saved}, which never
 * change. src/it does the same with the JSON files.
 */
class SavedStatesTest {
  private static final Path FOLDER = Path.of("src/test/resources/io/github/batchnorm/saved");

  /** A file without its ending, and what was in it when it was written. */
  record Saved(String file, Vectors expected) {
    static Saved of(String release, Vectors expected) {
      return new Saved("saved/" + release + "/" + expected.name(), expected);
    }

    Object read() throws IOException, ClassNotFoundException {
      try (var in = new ObjectInputStream(Saved.class.getResourceAsStream(file + ".ser"))) {
        return in.readObject();
      }
    }

    BatchNormState state() {
      return new BatchNormState(
          expected.vector("gamma"),
          expected.vector("beta"),
          expected.vector("runningMean"),
          expected.vector("runningVar"),
          (long) expected.scalar("batchesTracked"),
          expected.scalar("epsilon"),
          expected.scalar("smoothingFactor"),
          expected.has("cumulativeAverage true"),
          expected.has("populationRunningVar true"));
    }

    @Override
    public String toString() {
      return file;
    }
  }

  /** The releases that have saved something; VersionTest knows which must have. */
  static List<String> releases() throws IOException {
    try (Stream<Path> entries = Files.list(FOLDER)) {
      return entries
          .filter(Files::isDirectory)
          .map(folder -> folder.getFileName().toString())
          .sorted()
          .toList();
    }
  }

  private static Stream<Saved> saved() throws IOException {
    return releases().stream()
        .flatMap(
            release ->
                Vectors.read("saved/" + release + "/expected.txt").stream()
                    .map(expected -> Saved.of(release, expected)));
  }

  static List<Saved> states() throws IOException {
    return saved().filter(s -> !s.file.endsWith("statistics")).toList();
  }

  static List<Saved> statistics() throws IOException {
    return saved().filter(s -> s.file.endsWith("statistics")).toList();
  }

  @ParameterizedTest
  @MethodSource("states")
  void every_component_is_the_one_that_was_saved(Saved saved) throws Exception {
    assertThat(saved.read()).isEqualTo(saved.state());
  }

  @ParameterizedTest
  @MethodSource("states")
  void a_layer_infers_the_bits_of_the_layer_that_was_saved(Saved saved) throws Exception {
    BatchNormLayer layer = BatchNormLayer.of((BatchNormState) saved.read());
    assertSameBits(layer.infer(saved.expected.matrix("x")), saved.expected.matrix("out"));
  }

  @ParameterizedTest
  @MethodSource("statistics")
  void statistics_have_the_same_rows_and_bits(Saved saved) throws Exception {
    ColumnStatistics read = (ColumnStatistics) saved.read();
    assertThat(read.rows()).isEqualTo((long) saved.expected.scalar("rows"));
    assertThat(read.mean()).isEqualTo(saved.expected.vector("mean"));
    assertThat(read.var()).isEqualTo(saved.expected.vector("var"));
  }
}
