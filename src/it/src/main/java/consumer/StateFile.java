package consumer;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.batchnorm.BatchNormState;
import java.io.IOException;
import java.nio.file.Path;

/** The state of a batch norm as a JSON file. */
final class StateFile {
  /** Refuses a file in which a number is missing or null; Jackson would take 0 for it. */
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES).build();

  private StateFile() {}

  static void save(BatchNormState state, Path file) throws IOException {
    JSON.writeValue(file.toFile(), state);
  }

  static BatchNormState load(Path file) throws IOException {
    return JSON.readValue(file.toFile(), BatchNormState.class);
  }
}
