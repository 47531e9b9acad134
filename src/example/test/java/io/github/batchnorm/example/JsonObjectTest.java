package io.github.batchnorm.example;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link PageValuesTest} tests that a browser reads the same bits. */
class JsonObjectTest {
  @Test
  void numbers_keep_their_sign_and_all_digits() {
    JsonObject json =
        new JsonObject()
            .add("zero", -0.0)
            .add("vector", new double[] {1e-300, Double.MIN_VALUE})
            .add("matrix", new double[][] {{Double.MAX_VALUE, 0.1 + 0.2}, {1, -2}});

    assertThat(json)
        .hasToString(
            """
            {
            "zero": -0.0,
            "vector": [1.0E-300, 4.9E-324],
            "matrix": [[1.7976931348623157E308, 0.30000000000000004], [1.0, -2.0]]
            }""");
  }

  @Test
  void a_text_cannot_end_the_script_or_the_string() {
    JsonObject json = new JsonObject().add("name", "</script>\"\\\n\u2028é x-1_2.csv");

    assertThat(json)
        .hasToString(
            "{\n\"name\": \"\\u003c\\u002fscript\\u003e\\u0022\\u005c\\u000a\\u2028\\u00e9"
                + " x-1_2.csv\"\n}");
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY})
  void what_json_has_no_number_for_is_refused(double value) {
    JsonObject json = new JsonObject();

    assertThatThrownBy(() -> json.add("epsilon", value))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("epsilon is " + value + ", expected a finite value");
    assertThatThrownBy(() -> json.add("mu", new double[] {1, value}))
        .hasMessage("mu[1] is " + value + ", expected a finite value");
    assertThatThrownBy(() -> json.add("x", new double[][] {{1, 2}, {value, 3}}))
        .hasMessage("x[1][0] is " + value + ", expected a finite value");
  }
}
