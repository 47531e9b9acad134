package io.github.batchnorm.example;

import java.util.Locale;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Tells how far the training of one network is. */
interface Progress extends AutoCloseable {
  /** Takes note of the number of steps that are done. */
  void step(int done);

  /** Takes note of a measurement. */
  void measured(Measurement measurement);

  @Override
  void close();

  /**
   * A progress bar with the time left on a terminal, a line for every tenth of the way elsewhere.
   *
   * @param network the name of the network
   * @param steps how many there will be
   */
  static Progress start(String network, int steps) {
    return System.console() != null ? new Bar(network, steps) : new Lines(network, steps);
  }

  /** On a terminal. */
  final class Bar implements Progress {
    private final ProgressBar bar;

    private Bar(String network, int steps) {
      bar =
          new ProgressBarBuilder()
              .setTaskName(network)
              .setInitialMax(steps)
              .setStyle(ProgressBarStyle.ASCII)
              .setConsumer(new ConsoleProgressBarConsumer(System.out))
              .build();
    }

    @Override
    public void step(int done) {
      bar.stepTo(done);
    }

    @Override
    public void measured(Measurement measurement) {
      bar.setExtraMessage(String.format(Locale.ROOT, " accuracy %.3f", measurement.accuracy()));
    }

    @Override
    public void close() {
      bar.close();
    }
  }

  /** In a log or a pipe. */
  final class Lines implements Progress {
    private final String network;
    private final int steps;
    private final long start = System.nanoTime();
    private String accuracy = ""; // not known yet

    private Lines(String network, int steps) {
      this.network = network;
      this.steps = steps;
    }

    @Override
    public void measured(Measurement measurement) {
      accuracy = String.format(Locale.ROOT, ", test accuracy %.3f", measurement.accuracy());
    }

    @Override
    public void step(int done) {
      if (10L * done / steps > 10L * (done - 1) / steps) {
        double left = (System.nanoTime() - start) * 1e-9 / done * (steps - done);
        System.out.printf(
            Locale.ROOT,
            "%s: step %d of %d%s, about %.0f s left%n",
            network,
            done,
            steps,
            accuracy,
            left);
      }
    }

    @Override
    public void close() {}
  }
}
