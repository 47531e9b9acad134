package consumer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.github.batchnorm.BatchNormLayer;
import io.github.batchnorm.BatchNormState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The state of a batch norm, written as JSON and read back. */
class SaveAndLoadTest {
  @TempDir private Path folder;

  /** Equality of states is that of bits: -0.0 is not 0.0. */
  @Test
  void every_bit_comes_back() throws IOException {
    BatchNormState state =
        new BatchNormState(
            new double[] {-0.0, Double.MIN_VALUE, 1.0 / 3},
            new double[] {-Double.MAX_VALUE, Math.nextDown(Double.MIN_NORMAL), 2e-3},
            new double[] {0.1 + 0.2, -Double.MIN_VALUE, 1e23},
            new double[] {-0.0, Double.MIN_VALUE, Double.MAX_VALUE},
            Long.MAX_VALUE,
            Double.MIN_NORMAL,
            Math.nextDown(1.0),
            true,
            true);
    assertEquals(state, saved(state));
  }

  @Test
  void a_loaded_layer_goes_on_as_the_saved_one() throws IOException {
    BatchNormLayer layer = BatchNormLayer.builder(3).cumulativeAverage().build();
    Random random = new Random(5);
    for (int batch = 0; batch < 10; batch++) {
      layer.forward(batch(random));
      layer.gamma()[batch % 3] += 0.1;
    }
    BatchNormLayer loaded = BatchNormLayer.of(saved(layer.state()));

    double[][] x = batch(random);
    assertArrayEquals(layer.infer(x), loaded.infer(x));
    assertArrayEquals(layer.infer(x[0]), loaded.infer(x[0]));
    assertArrayEquals(layer.forward(x), loaded.forward(x));
    assertArrayEquals(layer.backward(x).dx(), loaded.backward(x).dx());
    assertEquals(layer.state(), loaded.state());
  }

  @ParameterizedTest
  @CsvSource({
    "'\"runningVar\":[1.0,1.0]', '\"runningVar\":[1.0,-1.0]', runningVar[1]",
    "'\"gamma\":[1.0,1.0]', '\"gamma\":[1.0]', beta",
    "'\"beta\":[0.0,0.0],', '', beta",
    "'\"batchesTracked\":0,', '', batchesTracked",
    "',\"populationRunningVar\":false', '', populationRunningVar",
  })
  void a_file_that_was_spoilt_is_refused(String part, String spoilt, String named)
      throws IOException {
    Path file = folder.resolve("state.json");
    StateFile.save(new BatchNormLayer(2).state(), file);
    String json = Files.readString(file);
    assertTrue(json.contains(part), json);
    Files.writeString(file, json.replace(part, spoilt));
    Exception refused = assertThrows(JsonProcessingException.class, () -> StateFile.load(file));
    assertTrue(refused.getMessage().contains(named), refused::getMessage);
  }

  private BatchNormState saved(BatchNormState state) throws IOException {
    Path file = folder.resolve("state.json");
    StateFile.save(state, file);
    return StateFile.load(file);
  }

  private static double[][] batch(Random random) {
    double[][] x = new double[6][];
    for (int i = 0; i < x.length; i++) {
      x[i] = random.doubles(3, -1, 1).toArray();
    }
    return x;
  }
}
