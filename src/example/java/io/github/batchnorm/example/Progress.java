package io.github.batchnorm.example;

import java.util.Locale;
import java.util.Optional;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.DefaultProgressBarRenderer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import me.tongfei.progressbar.ProgressState;

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
    return start(network, steps, new TimeLeft(steps, "left"));
  }

  /**
   * The same for one of several networks.
   *
   * @param network the name of the network
   * @param steps how many there will be
   * @param left the time left for all networks; is told of each step of this one
   */
  static Progress start(String network, int steps, TimeLeft left) {
    return System.console() != null
        ? new Bar(network, steps, left)
        : new Lines(network, steps, left);
  }

  /** On a terminal. */
  final class Bar implements Progress {
    /** Fixed, since the library would ask JLine, which takes Ctrl-C away from the JVM. */
    private static final int WIDTH = 80;

    private final ProgressBar bar;
    private final TimeLeft left;
    private String accuracy = ""; // not known yet

    private Bar(String network, int steps, TimeLeft left) {
      this.left = left;
      bar =
          new ProgressBarBuilder()
              .setTaskName(network)
              .setInitialMax(steps)
              .setRenderer(new Renderer())
              .setConsumer(new ConsoleProgressBarConsumer(System.out, WIDTH))
              .build();
    }

    @Override
    public void step(int done) {
      left.step();
      bar.stepTo(done);
      bar.setExtraMessage(" " + left + accuracy);
    }

    @Override
    public void measured(Measurement measurement) {
      accuracy = String.format(Locale.ROOT, ", accuracy %.3f", measurement.accuracy());
    }

    @Override
    public void close() {
      bar.close();
    }

    /**
     * Without the number of steps, for which the line has no room, and without the library's time
     * left, which would be that of one network.
     */
    private static final class Renderer extends DefaultProgressBarRenderer {
      Renderer() {
        super(ProgressBarStyle.ASCII, "", 1, false, null, null, false, state -> Optional.empty());
      }

      @Override
      protected String ratio(ProgressState state) {
        return "";
      }
    }
  }

  /** In a log or a pipe: a line after a second, then one for every tenth of the way. */
  final class Lines implements Progress {
    private static final double FIRST_SECONDS = 1;

    private final String network;
    private final int steps;
    private final TimeLeft left;
    private final double start;
    private boolean silent = true;
    private String accuracy = ""; // not known yet

    Lines(String network, int steps, TimeLeft left) {
      this.network = network;
      this.steps = steps;
      this.left = left;
      start = left.seconds();
    }

    @Override
    public void measured(Measurement measurement) {
      accuracy = String.format(Locale.ROOT, ", test accuracy %.3f", measurement.accuracy());
    }

    @Override
    public void step(int done) {
      left.step();
      boolean tenth = 10L * done / steps > 10L * (done - 1) / steps;
      if (tenth || silent && left.seconds() - start >= FIRST_SECONDS) {
        silent = false;
        System.out.printf("%s: step %d of %d%s, about %s%n", network, done, steps, accuracy, left);
      }
    }

    @Override
    public void close() {}
  }
}
