package io.github.batchnorm.benchmark;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One contender, one number of features, in inference: the time of a row. Started by {@link
 * Benchmarks}.
 *
 * <pre>{@code
 * mvn -q -f src/benchmark test-compile exec:exec \
 *     -Dargs="inferRow -p features=64 -p contender=batchnorm,hand"
 * }</pre>
 *
 * <p>Before anything is timed, the contender's output is compared with the library's. It stays in a
 * field of the contender, so that no call can be optimized away.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(
    value = 2,
    jvmArgs = {"-Xms3g", "-Xmx3g", "-XX:+AlwaysPreTouch"})
@Warmup(iterations = 4, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
public class InferenceBenchmark {
  private static final long SEED = 20162;
  private static final int ROWS = 64;

  static final List<String> METHODS = List.of("inferRow", "inferTable");

  static final List<String> VALUES = List.of("8", "32", "64", "256", "1024");

  /** D, the number of columns. */
  @Param("64")
  public int features;

  /** A name of {@link Contenders}. */
  @Param("batchnorm")
  public String contender;

  private InferenceContender measured;

  /** Makes the data and checks the contender's results. */
  @Setup(Level.Trial)
  public void prepare() {
    Batch batch = Batch.random(ROWS + "x" + features, SEED);
    InferenceContender expected = Contenders.makeInference("batchnorm");
    expected.prepare(batch);
    expected.table();
    measured = Contenders.makeInference(contender);
    measured.prepare(batch);
    measured.table();
    Agreement.check(contender + " table", measured.out(), expected.out());
    measured.prepare(batch); // clears the output
    inferRow();
    Agreement.check(contender + " rows", measured.out(), expected.out());
    YoungCollections.provoke();
  }

  /** All rows, a call for each. */
  @Benchmark
  @OperationsPerInvocation(ROWS)
  public void inferRow() {
    for (int i = 0; i < ROWS; i++) {
      measured.row(i);
    }
  }

  /** All rows in one call. */
  @Benchmark
  @OperationsPerInvocation(ROWS)
  public void inferTable() {
    measured.table();
  }
}
