package io.github.batchnorm;

import static io.github.batchnorm.TestData.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a call allocates once it is warm, counted by the virtual machine. */
@DisplayName("Allocation (seed 41)")
class AllocationTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int CALLS = 50;

  private final Random random = new Random(41);

  /** The bytes per call, rounded down: a few calls may be compiled or measured beside the point. */
  private static long bytesPerCall(Runnable call) {
    long least = Long.MAX_VALUE;
    for (int run = 0; run < 5; run++) {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < CALLS; i++) {
        call.run();
      }
      least = Math.min(least, (THREADS.getCurrentThreadAllocatedBytes() - before) / CALLS);
    }
    return least;
  }

  @Test
  void of_infer_on_one_row_is_its_output_and_no_more() {
    BatchNormLayer layer = new BatchNormLayer(256);
    double[][] x = gaussian(random, 1, 256);
    double[][][] copy = new double[1][][];
    long output = bytesPerCall(() -> copy[0] = new double[1][256]);
    assertThat(output).isGreaterThan(256 * Double.BYTES);
    assertThat(bytesPerCall(() -> copy[0] = layer.infer(x))).isLessThanOrEqualTo(output);
    double[][] out = new double[1][256];
    assertThat(bytesPerCall(() -> layer.infer(x, out))).isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void of_forward_and_backward_into_buffers_does_not_grow_with_the_rows(boolean cacheGraph) {
    long few = bytesOfATrainingStep(16, cacheGraph);
    assertThat(few).isLessThan(2_000);
    assertThat(bytesOfATrainingStep(1600, cacheGraph)).isLessThanOrEqualTo(few);
    // large enough for several threads: their tasks and the parts they have taken
    assertThat(bytesOfATrainingStep(20_000, cacheGraph)).isLessThan(few + 20_000);
  }

  private long bytesOfATrainingStep(int n, boolean cacheGraph) {
    BatchNormLayer layer = BatchNormLayer.builder(32).cacheGraph(cacheGraph).build();
    double[][] x = gaussian(random, n, 32);
    double[][] dout = gaussian(random, n, 32);
    double[][] out = new double[n][32];
    double[][] dx = new double[n][32];
    return bytesPerCall(
        () -> {
          layer.forward(x, out);
          layer.backward(dout, dx);
        });
  }
}
