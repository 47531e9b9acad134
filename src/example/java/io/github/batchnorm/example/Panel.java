package io.github.batchnorm.example;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.Stroke;
import java.awt.geom.Line2D;
import java.awt.geom.Rectangle2D;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.block.BlockBorder;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.xy.XYLineAndShapeRenderer;
import org.jfree.chart.title.LegendTitle;
import org.jfree.chart.ui.RectangleInsets;
import org.jfree.data.xy.XYSeries;
import org.jfree.data.xy.XYSeriesCollection;

/** One panel of the figure: lines over the training steps, with title, axes and legend. */
final class Panel {
  static final Stroke THIN = stroke(1.6f);
  static final Stroke THICK = stroke(2.6f);

  private static final Color GRID = new Color(0xCCCCCC);

  private final XYSeriesCollection lines = new XYSeriesCollection();
  private final XYLineAndShapeRenderer renderer = new XYLineAndShapeRenderer(true, false);
  private final NumberAxis steps = axis("training step");
  private final String title;
  private final NumberAxis values;

  Panel(String title, String yTitle, double lowest, double highest) {
    this.title = title;
    values = axis(yTitle);
    values.setRange(lowest, highest);
    renderer.setDrawSeriesLineAsPath(true); // one path instead of a hundred, also in the svg
    renderer.setLegendLine(new Line2D.Double(-14, 0, 14, 0));
  }

  /** Adds a line; the first ones lie on top. */
  Panel line(
      String name,
      List<Measurement> measurements,
      ToDoubleFunction<Measurement> value,
      Color color,
      Stroke stroke) {
    XYSeries line = new XYSeries(name);
    measurements.forEach(m -> line.add(m.step(), value.applyAsDouble(m)));
    steps.setRange(0, line.getMaxX());
    renderer.setSeriesPaint(lines.getSeriesCount(), color);
    renderer.setSeriesStroke(lines.getSeriesCount(), stroke);
    lines.addSeries(line);
    return this;
  }

  /** Paints the panel into a rectangle. */
  void paint(Graphics2D graphics, int x, int y, int width, int height) {
    XYPlot plot = new XYPlot(lines, steps, values, renderer);
    plot.setBackgroundPaint(Color.WHITE);
    plot.setDomainGridlinePaint(GRID);
    plot.setRangeGridlinePaint(GRID);
    plot.setAxisOffset(RectangleInsets.ZERO_INSETS);
    JFreeChart chart = new JFreeChart(title, font(Font.BOLD, 17), plot, true);
    chart.setBackgroundPaint(Color.WHITE);
    chart.setPadding(new RectangleInsets(10, 10, 4, 44)); // room for the last number of the axis
    LegendTitle legend = chart.getLegend();
    legend.setItemFont(font(Font.PLAIN, 14));
    legend.setItemLabelPadding(new RectangleInsets(2, 4, 2, 14));
    legend.setFrame(BlockBorder.NONE);
    chart.draw(graphics, new Rectangle2D.Double(x, y, width, height));
  }

  static Font font(int style, int size) {
    return new Font(Font.SANS_SERIF, style, size);
  }

  private static NumberAxis axis(String title) {
    NumberAxis axis = new NumberAxis(title);
    axis.setLabelFont(font(Font.PLAIN, 15));
    axis.setTickLabelFont(font(Font.PLAIN, 13));
    return axis;
  }

  private static Stroke stroke(float width) {
    return new BasicStroke(width, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND);
  }
}
