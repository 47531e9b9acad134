package io.github.batchnorm.example;

import java.util.Iterator;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.StreamSupport;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Classifies the rows of a data set on Spark's workers.
 *
 * <p>Rows are read by position, not by name: between two steps Spark may hand on a row that has
 * lost its schema.
 */
final class Scoring {
  private static final int LABEL = 0;
  private static final int FEATURES = 1; // of a row that comes in
  private static final int SCORES = 1; // of a row that goes out

  private static final StructType SCHEMA =
      new StructType()
          .add(DigitRows.LABEL, DataTypes.IntegerType)
          .add("scores", SQLDataTypes.VectorType());

  private Scoring() {}

  /**
   * The scores of each row. The state is broadcast, each partition makes one classifier of it, and
   * a row meets nothing but that classifier: so the scores have the same bits as on one machine,
   * for any number of partitions.
   *
   * @param rows with the columns of {@link DigitRows}
   * @return for each row, in their order, its label and the vector of its ten scores
   */
  static Dataset<Row> scores(Dataset<Row> rows, Classifier.State state) {
    Broadcast<Classifier.State> broadcast =
        new JavaSparkContext(rows.sparkSession().sparkContext()).broadcast(state);
    return rows.select(DigitRows.LABEL, DigitRows.FEATURES)
        .mapPartitions(
            (MapPartitionsFunction<Row, Row>)
                partition -> scores(partition, new Classifier(broadcast.value())),
            Encoders.row(SCHEMA));
  }

  private static Iterator<Row> scores(Iterator<Row> partition, Classifier classifier) {
    var rows = Spliterators.spliteratorUnknownSize(partition, Spliterator.ORDERED);
    return StreamSupport.stream(rows, false).map(row -> scores(row, classifier)).iterator();
  }

  private static Row scores(Row row, Classifier classifier) {
    double[] image = row.<Vector>getAs(FEATURES).toArray();
    return RowFactory.create(row.getInt(LABEL), Vectors.dense(classifier.scores(image)));
  }

  /** The ten scores of a row that {@link #scores(Dataset, Classifier.State)} returns. */
  static double[] scores(Row scored) {
    return scored.<Vector>getAs(SCORES).toArray();
  }

  /** Whether the highest score of such a row is at its label. */
  static boolean isRight(Row scored) {
    return SoftmaxCrossEntropy.indexOfMax(scores(scored)) == scored.getInt(LABEL);
  }
}
