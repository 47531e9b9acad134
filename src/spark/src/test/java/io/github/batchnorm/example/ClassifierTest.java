package io.github.batchnorm.example;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import org.junit.jupiter.api.Test;

/** States of all layers: what Spark will broadcast. */
class ClassifierTest {
  private static final double[][] IMAGES = TestDigits.images(TestDigits.first(100));

  private final Classifier classifier = TestDigits.trainedClassifier();

  @Test
  void a_state_that_was_serialized_gives_the_same_bits() throws Exception {
    Classifier same = new Classifier(serialized(classifier.state()));

    assertThat(same.scores(IMAGES)).isDeepEqualTo(classifier.scores(IMAGES));
  }

  private static Classifier.State serialized(Classifier.State state) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(state);
    }
    try (var in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      return (Classifier.State) in.readObject();
    }
  }

  @Test
  void a_classifier_made_of_a_state_trains_on_as_the_other_one() {
    Classifier same = new Classifier(classifier.state());
    TestDigits.train(classifier, new int[] {3, 1, 4, 15, 9, 26});
    TestDigits.train(same, new int[] {3, 1, 4, 15, 9, 26});

    assertThat(same.scores(IMAGES)).isDeepEqualTo(classifier.scores(IMAGES));
  }

  @Test
  void training_after_a_state_was_taken_does_not_change_the_state() {
    double[][] before = classifier.scores(IMAGES);
    Classifier.State state = classifier.state();
    TestDigits.train(classifier, new int[] {0, 1, 2});

    assertThat(classifier.scores(IMAGES)[0]).isNotEqualTo(before[0]);
    assertThat(new Classifier(state).scores(IMAGES)).isDeepEqualTo(before);
  }

  @Test
  void training_a_classifier_made_of_a_state_does_not_change_the_state() {
    double[][] before = classifier.scores(IMAGES);
    Classifier.State state = classifier.state();
    TestDigits.train(new Classifier(state), new int[] {0, 1, 2});

    assertThat(new Classifier(state).scores(IMAGES)).isDeepEqualTo(before);
  }

  @Test
  void one_image_has_the_scores_that_it_has_among_many() {
    double[][] expected = classifier.scores(IMAGES);

    for (int i = 0; i < IMAGES.length; i++) {
      assertThat(classifier.scores(IMAGES[i])).isEqualTo(expected[i]);
    }
  }
}
