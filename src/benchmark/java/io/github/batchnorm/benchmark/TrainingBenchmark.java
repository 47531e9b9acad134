package io.github.batchnorm.benchmark;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One contender, one size, in training; started by {@link Benchmarks}.
 *
 * <pre>{@code
 * mvn -q -f src/benchmark test-compile exec:exec \
 *     -Dargs="forward -p size=64x64 -p contender=batchnorm"
 * }</pre>
 *
 * <p>Before anything is timed, the contender's (but for the floor's) out, dx, dgamma and dbeta are
 * compared with the library's. The results of a call stay in fields of the contender, so that no
 * call can be optimized away.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(
    value = 2,
    jvmArgs = {"-Xms3g", "-Xmx3g", "-XX:+AlwaysPreTouch"})
@Warmup(iterations = 4, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
public class TrainingBenchmark {
  private static final long SEED = 20161;

  static final List<String> METHODS = List.of("forward", "backward", "forwardAndBackward");

  static final List<String> VALUES =
      List.of(
          "32x16",
          "64x64",
          "60x100",
          "128x256",
          "256x1024",
          "1024x1024",
          "4096x1024",
          "100000x32",
          "16x100000");

  /** N x D: rows, columns. */
  @Param("32x16")
  public String size;

  /** A name of {@link Contenders}. */
  @Param("batchnorm")
  public String contender;

  private Contender measured;

  /** Makes the data and checks the contender's results. */
  @Setup(Level.Trial)
  public void prepare() {
    Batch batch = Batch.random(size, SEED);
    measured = walked(contender, batch);
    if (!contender.equals(Contenders.FLOOR)) {
      Agreement.check(contender, measured, walked("batchnorm", batch));
    }
    YoungCollections.provoke();
  }

  private static Contender walked(String name, Batch batch) {
    Contender contender = Contenders.make(name);
    contender.prepare(batch);
    contender.forward();
    contender.backward();
    return contender;
  }

  /** Training, forward. */
  @Benchmark
  public void forward() {
    measured.forward();
  }

  /** The gradients of one forward, again and again. */
  @Benchmark
  public void backward() {
    measured.backward();
  }

  /** A step of training. */
  @Benchmark
  public void forwardAndBackward() {
    measured.forward();
    measured.backward();
  }
}
