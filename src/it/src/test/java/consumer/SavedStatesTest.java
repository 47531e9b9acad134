package consumer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.batchnorm.BatchNormLayer;
import io.github.batchnorm.BatchNormState;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A JSON file that a release has saved loads as the state that the same release has serialized; the
 * library's own tests know the bits of that one.
 */
class SavedStatesTest {
  private static final Path SAVED = Path.of("../test/resources/io/github/batchnorm/saved");

  static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.walk(SAVED)) {
      return files.filter(file -> file.toString().endsWith(".json")).toList();
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void json_loads_as_the_same_state(Path file) throws Exception {
    BatchNormState json = StateFile.load(file);
    BatchNormState serialized = serialized(Path.of(file.toString().replaceFirst("json$", "ser")));
    assertEquals(serialized, json);
    double[][] x = {{1, 2, 3}, {-0.1, 1e9, 1e-9}};
    assertArrayEquals(BatchNormLayer.of(serialized).infer(x), BatchNormLayer.of(json).infer(x));
  }

  private static BatchNormState serialized(Path file) throws IOException, ClassNotFoundException {
    try (var in = new ObjectInputStream(Files.newInputStream(file))) {
      return (BatchNormState) in.readObject();
    }
  }
}
