package io.github.batchnorm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What becomes of a layer when memory runs out: each test in a virtual machine of its own. */
class MemoryTest {
  /** Runs {@link Program} with that much memory; returns what it printed. */
  private static String run(String program, String heap)
      throws IOException, InterruptedException, URISyntaxException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + heap,
                "-XX:+UseSerialGC", // the heap in one piece: what fits does not hang on regions
                "-classpath",
                classPath(BatchNormLayer.class) + File.pathSeparator + classPath(Program.class),
                Program.class.getName(),
                program)
            .redirectErrorStream(true)
            .start();
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(printed).isZero();
    return printed.strip();
  }

  private static String classPath(Class<?> type) throws URISyntaxException {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
  }

  @Test
  void a_forward_that_runs_out_of_memory_leaves_a_layer_that_works() throws Exception {
    assertThat(run("fail", "64m")).isEqualTo("OOOOI OOOOI OOOOI same bits");
  }

  @Test
  void one_row_more_takes_the_memory_of_one_row() throws Exception {
    // the cache of 5,120 x 1,024 takes 40 MiB: a second one beside it does not fit
    assertThat(run("grow", "80m")).isEqualTo("5121 rows");
  }

  /** What runs there. In its matrices one row stands many times, so that they take no memory. */
  static final class Program {
    private static final int D = 1024;

    private Program() {}

    public static void main(String[] args) {
      System.out.println(args[0].equals("fail") ? fail() : grow());
    }

    private static double[][] repeated(int n, double[] row) {
      double[][] matrix = new double[n][];
      Arrays.fill(matrix, row);
      return matrix;
    }

    private static String fail() {
      double[][] x = new double[50][D];
      Arrays.setAll(x, i -> new Random(i).doubles(D).toArray());
      BatchNormLayer layer = new BatchNormLayer(D);
      BatchNormLayer fresh = new BatchNormLayer(D);
      boolean same = true;
      String thrown = "";
      for (int n : new int[] {40, 41, 50}) { // the last ones need more room than the first
        for (int rows : new int[] {1 << 20, 1 << 20, 12_000, 12_000}) { // twice: it is tried again
          thrown +=
              thrown(() -> layer.forward(repeated(rows, x[0]), repeated(rows, new double[D])));
        }
        thrown += thrown(layer::graph) + " ";
        double[][] batch = Arrays.copyOf(x, n);
        same &= Arrays.deepEquals(layer.forward(batch), fresh.forward(batch));
        same &= Arrays.equals(layer.runningVar(), fresh.runningVar());
      }
      return thrown + (same && layer.batchesTracked() == 3 ? "same bits" : "other bits");
    }

    /**
     * O for OutOfMemoryError: xmu would take 8 GiB (2^20 rows) or 94 MiB (12,000 rows); I for
     * IllegalStateException: the graph is lost.
     */
    private static String thrown(Runnable call) {
      try {
        call.run();
        return "-";
      } catch (OutOfMemoryError | IllegalStateException e) {
        return e.getClass().getSimpleName().substring(0, 1);
      }
    }

    private static String grow() {
      BatchNormLayer layer = new BatchNormLayer(D);
      double[] row = new double[D];
      double[] out = new double[D];
      layer.forward(repeated(5120, row), repeated(5120, out));
      return layer.forward(repeated(5121, row), repeated(5121, out)).length + " rows";
    }
  }
}
