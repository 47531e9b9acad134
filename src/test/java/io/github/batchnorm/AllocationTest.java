package io.github.batchnorm;

import static io.github.batchnorm.TestData.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

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
  void of_infer_of_a_row_into_an_array_of_the_caller_is_nothing() {
    BatchNormLayer layer = new BatchNormLayer(256);
    double[] row = gaussian(random, 256);
    double[] out = new double[256];
    assertThat(bytesPerCall(() -> layer.infer(row, out))).isZero();
  }

  @Test
  void of_infer_on_one_row_is_its_output_and_no_other_row() {
    int d = 256;
    BatchNormLayer layer = new BatchNormLayer(d);
    double[][] x = gaussian(random, 1, d);
    double[][][] kept = new double[1][][];
    long output = bytesPerCall(() -> kept[0] = new double[1][d]);
    assertThat(output).isGreaterThan(d * Double.BYTES);
    assertThat(bytesPerCall(() -> kept[0] = layer.infer(x))).isLessThan(output + d * Double.BYTES);
    double[][] out = new double[1][d];
    assertThat(bytesPerCall(() -> layer.infer(x, out))).isLessThan(d * Double.BYTES);
  }

  @Test
  void of_forward_and_backward_into_buffers_is_less_than_a_value_for_each_row() {
    long few = bytesOfATrainingStep(16);
    assertThat(few).isLessThan(2_000);
    assertThat(bytesOfATrainingStep(1_600)).isLessThan(few + 1_600 * Double.BYTES);
    // large enough for several threads: their tasks and the parts they have taken
    assertThat(bytesOfATrainingStep(4_000)).isLessThan(few + 4_000 * Double.BYTES);
  }

  private long bytesOfATrainingStep(int n) {
    BatchNormLayer layer = new BatchNormLayer(32);
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
