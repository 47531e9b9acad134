package io.github.batchnorm.example;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrainingTest {
  /** What a training says of its progress. */
  private static final class Log implements Progress {
    private final List<Integer> steps = new ArrayList<>();
    private final List<Measurement> measurements = new ArrayList<>();

    @Override
    public void step(int done) {
      steps.add(done);
    }

    @Override
    public void measured(Measurement measurement) {
      measurements.add(measurement);
    }

    @Override
    public void close() {}
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void interrupted_it_returns_what_was_measured_before(boolean batchNorm) throws DataException {
    Log log = new Log();
    Training training = new Training(10_000, 0.1, 1);
    List<Measurement> measured =
        training.run(batchNorm, Mnist.bundled(), log, () -> log.steps.size() == 25);

    assertThat(log.steps).hasSize(25).startsWith(1, 2).endsWith(24, 25);
    assertThat(measured).extracting(Measurement::step).containsExactly(10, 20);
    assertThat(measured).isEqualTo(log.measurements);
  }
}
