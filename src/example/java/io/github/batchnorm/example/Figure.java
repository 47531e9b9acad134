package io.github.batchnorm.example;

import static java.nio.charset.StandardCharsets.UTF_8;

import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.svg.SVGProcessor;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.jfree.chart.text.TextUtils;

/**
 * The paper's Figure 1: (a) the test accuracy of both networks, and under it the percentiles of the
 * inputs of one sigmoid, (b) without and (c) with batch norm.
 */
final class Figure {
  private static final int WIDTH = 1000;
  private static final int UPPER = 400; // the height of (a)
  private static final int LOWER = 380; // the height of (b) and (c)
  private static final int CAPTION = 36;
  private static final int HEIGHT = UPPER + LOWER + CAPTION;
  private static final double PIXELS_PER_UNIT = 1.5; // in the png, for sharp letters

  private static final Color WITHOUT = new Color(0xD55E00); // told apart by the colour-blind too
  private static final Color WITH = new Color(0x0072B2);

  private final List<Measurement> without;
  private final List<Measurement> with;
  private final String caption;

  /**
   * A figure of two trainings.
   *
   * @param without the measurements without batch norm
   * @param with those with batch norm
   * @param caption says under the panels how they were made
   */
  Figure(List<Measurement> without, List<Measurement> with, String caption) {
    this.without = without;
    this.with = with;
    this.caption = caption;
  }

  /** The figure as the content of a .png file. */
  byte[] png() throws IOException {
    BufferedImage image =
        new BufferedImage(
            (int) (WIDTH * PIXELS_PER_UNIT),
            (int) (HEIGHT * PIXELS_PER_UNIT),
            BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    graphics.scale(PIXELS_PER_UNIT, PIXELS_PER_UNIT);
    graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    paint(graphics);
    graphics.dispose();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ImageIO.write(image, "png", out);
    return out.toByteArray();
  }

  /** The figure as the content of an .svg file. */
  byte[] svg() throws IOException {
    VectorGraphics2D graphics = new VectorGraphics2D();
    paint(graphics);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    new SVGProcessor()
        .getDocument(graphics.getCommands(), new PageSize(WIDTH, HEIGHT))
        .writeTo(out);
    // a browser need not have the font of this machine
    return out.toString(UTF_8)
        .replaceAll("font-family:(&quot;[^&]*&quot;)", "font-family:$1,sans-serif")
        .getBytes(UTF_8);
  }

  private void paint(Graphics2D graphics) {
    TextUtils.setUseDrawRotatedStringWorkaround(false); // else the svg has hollow letters
    graphics.setColor(Color.WHITE);
    graphics.fillRect(0, 0, WIDTH, HEIGHT);
    accuracies().paint(graphics, 0, 0, WIDTH, UPPER);
    percentiles("(b) percentiles without batch norm", without, WITHOUT)
        .paint(graphics, 0, UPPER, WIDTH / 2, LOWER);
    percentiles("(c) percentiles with batch norm", with, WITH)
        .paint(graphics, WIDTH / 2, UPPER, WIDTH / 2, LOWER);
    graphics.setColor(Color.DARK_GRAY);
    graphics.setFont(Panel.font(Font.PLAIN, 13));
    graphics.drawString(
        caption + "; (b, c): first sigmoid of the last hidden layer", 16, HEIGHT - 14);
  }

  private Panel accuracies() {
    return new Panel("(a) accuracy on the test images", "test accuracy", 0, 1)
        .line("with batch norm", with, Measurement::accuracy, WITH, Panel.THICK)
        .line("without batch norm", without, Measurement::accuracy, WITHOUT, Panel.THICK);
  }

  private Panel percentiles(String title, List<Measurement> measurements, Color color) {
    // the same range in both, or the eye could not compare them
    double lowest = all().mapToDouble(Measurement::low).min().orElseThrow();
    double highest = all().mapToDouble(Measurement::high).max().orElseThrow();
    return new Panel(title, "input of the sigmoid", Math.floor(lowest), Math.ceil(highest))
        .line("85 %", measurements, Measurement::high, color.darker().darker(), Panel.THIN)
        .line("50 %", measurements, Measurement::median, color, Panel.THICK)
        .line("15 %", measurements, Measurement::low, lighter(color), Panel.THIN);
  }

  /** Half way to white. */
  private static Color lighter(Color color) {
    return new Color(
        (color.getRed() + 255) / 2, (color.getGreen() + 255) / 2, (color.getBlue() + 255) / 2);
  }

  private Stream<Measurement> all() {
    return Stream.of(without, with).flatMap(List::stream);
  }
}
