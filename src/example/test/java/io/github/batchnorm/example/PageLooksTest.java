package io.github.batchnorm.example;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.deque.html.axecore.results.Results;
import com.deque.html.axecore.selenium.AxeBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.openqa.selenium.Keys;
import org.openqa.selenium.OutputType;

/**
 * What can be read and seen, on screens of several sizes, in both colour schemes, and on paper.
 *
 * <p>Leaves what it looked at in target/pictures. The README's picture is one of them: {@code cp
 * src/example/target/pictures/readme.png src/example/graph.png}.
 */
class PageLooksTest extends InBrowser {
  private static final Path PICTURES = Path.of("target", "pictures");
  private static final Path README_PICTURE = Path.of("graph.png");

  @BeforeAll
  static void makeFolder() throws IOException {
    Files.createDirectories(PICTURES);
  }

  @ParameterizedTest
  @ValueSource(ints = {1280, 1240, 1024, 768, 390, 360})
  void nothing_is_cut_off_too_small_or_on_something_else(int width) {
    browser.screen(width, width < 600 ? 844 : 900);
    for (Example example : Example.values()) {
      open(example, "#nodes=xmu,var&cell=mu,0,0");
      assertThat(faults()).as(example.name()).isEmpty();
      assertThat(step()).isEqualTo("b0");
    }
  }

  /** A font that is not installed gives another one: also well. */
  @ParameterizedTest
  @CsvSource({
    "1280, sans-serif",
    "1280, DejaVu Sans",
    "1280, serif",
    "1280, monospace",
    "390, sans-serif",
    "390, DejaVu Sans",
    "390, serif",
    "390, monospace"
  })
  void nothing_touches_anything_in_other_fonts(int width, String font) {
    browser.screen(width, 844);
    open("");
    browser.run("document.body.style.fontFamily = arguments[0]", font);

    assertThat(faults()).isEmpty();
  }

  /** In all steps. */
  private static List<String> faults() {
    return browser.runFile("faults.js");
  }

  @ParameterizedTest
  @EnumSource
  void on_a_phone_each_step_with_its_sentence_and_sum_is_seen_without_scrolling(Example example) {
    browser.screen(390, 844);
    open(example, "");
    for (String step : MADE.keySet()) {
      assertThat(step()).isEqualTo(step);
      assertThat(browser.<List<String>>runFile("hidden.js")).as("step " + step).isEmpty();
      browser.press(Keys.ARROW_RIGHT);
    }
  }

  @Test
  void on_a_phone_the_boxes_have_numbers_where_they_fit() {
    browser.screen(390, 844);
    open("#step=9");

    assertThat(browser.texts("[data-name=xmu] .mini.value text"))
        .containsExactly("1", "4", "1", "1", "−2", "−5");
    assertThat(browser.texts(".mini.value text")).hasSize(6 * 6 + 6 * 2); // 6 matrices, 6 vectors
    open(Example.LARGEST, "#step=9");
    assertThat(browser.texts(".mini.value text")).isEmpty();
  }

  @Test
  void who_reads_below_the_picture_stays_there() {
    browser.screen(390, 844);
    open("#step=1");
    browser.run("document.getElementById('equations').scrollIntoView()");
    Number before = browser.run("return scrollY");
    browser.find("#forward").click();

    assertThat(step()).isEqualTo("2");
    assertThat(browser.<Number>run("return scrollY")).isEqualTo(before);
  }

  @Test
  void a_wide_screen_shows_all_inputs_at_the_start() {
    open("");
    List<List<Number>> places =
        browser.run(
            """
            return [...document.querySelectorAll('#equations .equation')]
              .map(e => e.getBoundingClientRect()).map(e => [e.top, e.bottom]);
            """);

    assertThat(places)
        .hasSize(3)
        .extracting(place -> place.get(0))
        .containsOnly(places.get(0).get(0));
    assertThat(places).allMatch(place -> place.get(1).doubleValue() < 900);
  }

  @ParameterizedTest
  @ValueSource(strings = {"light", "dark"})
  void the_legend_shows_the_arrows_as_they_are_and_names_no_colour(String scheme) {
    browser.medium("screen", scheme);
    open("#step=b0");
    List<String> strokes =
        browser.run(
            """
            return ['.arrow.black polyline', '.legend :nth-child(1) path',
                    '.arrow.red polyline', '.legend :nth-child(2) path']
              .map(selector => getComputedStyle(document.querySelector(selector)).stroke);
            """);

    assertThat(strokes.get(0)).isEqualTo(strokes.get(1)).isNotEqualTo(strokes.get(2));
    assertThat(strokes.get(2)).isEqualTo(strokes.get(3));
    assertThat(browser.text(".legend")).doesNotContainPattern("(?i)\\b(black|white|red)\\b");
  }

  /** For a person to look at. */
  @ParameterizedTest
  @CsvSource({"1280, light", "1280, dark", "390, light", "390, dark", "1024, light"})
  void pictures_are_taken(int width, String scheme) throws IOException {
    browser.screen(width, width < 600 ? 844 : 900);
    browser.medium("screen", scheme);
    for (Example example : List.of(Example.WORKED_BY_HAND, Example.LARGEST)) {
      for (String step : List.of("0", "4", "b7", "b0")) {
        open(example, "#step=" + step);
        byte[] picture = browser.picture();
        assertThat(picture).hasSizeGreaterThan(20_000);
        String name = String.join("-", example.name(), step, "" + width, scheme);
        Files.write(PICTURES.resolve(name + ".png"), picture);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1280, light", "1280, dark", "390, light", "390, dark"})
  void axe_finds_no_barrier(int width, String scheme) {
    browser.screen(width, 900);
    browser.medium("screen", scheme);
    open("#step=4");
    assertNoBarrier();
    open("#step=b7&nodes=xmu,x&cell=divar,0,0");
    assertNoBarrier();
    open(Example.LARGEST, "#step=6");
    assertNoBarrier();
  }

  private static void assertNoBarrier() {
    Results results = new AxeBuilder().analyze(browser.driver());
    assertThat(results.getViolations()).isEmpty();
    assertThat(results.getPasses()).isNotEmpty();
  }

  /** Axe does not look into pictures. WCAG 2 AA asks for 4.5 for text and for 3 for lines. */
  @ParameterizedTest
  @ValueSource(strings = {"light", "dark"})
  void the_picture_has_enough_contrast(String scheme) {
    browser.medium("screen", scheme);
    open("#step=b0&nodes=xmu");
    List<List<Object>> contrasts = browser.runFile("contrasts.js");
    assertThat(contrasts).hasSizeGreaterThan(100);
    for (List<Object> contrast : contrasts) {
      double least = ((Number) contrast.get(2)).doubleValue();
      assertThat(((Number) contrast.get(1)).doubleValue())
          .as("contrast of " + contrast.get(0))
          .isGreaterThanOrEqualTo(least);
    }
  }

  @ParameterizedTest
  @CsvSource({"WORKED_BY_HAND, 1280, 3", "WORKED_BY_HAND, 390, 3", "LARGEST, 1280, 7"})
  void paper_gets_the_picture_and_the_tables_without_the_bar(
      Example example, int width, int mostSheets) throws IOException {
    browser.screen(width, 900);
    browser.medium("print", "dark");
    open(example, "#step=b2&cell=dmu,0,0");

    assertThat(browser.find("#bar").isDisplayed()).isFalse();
    assertThat(browser.find("svg").isDisplayed()).isTrue();
    assertThat(browser.find("#equations").isDisplayed()).isTrue();
    assertThat(browser.find("body").getCssValue("background-color"))
        .isEqualTo("rgba(255, 255, 255, 1)");
    byte[] pdf = browser.print();
    Files.write(PICTURES.resolve("print-" + example + "-" + width + ".pdf"), pdf);
    Matcher pages = Pattern.compile("/Type */Page\\b").matcher(new String(pdf, ISO_8859_1));
    assertThat(pages.results()).hasSizeLessThanOrEqualTo(mostSheets);
    assertThat(browser.find("svg").getAttribute("class")).isEqualTo("wide");
  }

  @Test
  void the_picture_of_the_readme_is_small_and_can_be_made_again() throws IOException {
    Path page = folder.resolve("graph.html");
    new GraphPage().commandLine().execute("--output", page.toString());
    browser.open(page, "#step=b3&cell=dxmu2,2,1");
    Number end =
        browser.run("return document.getElementById('step').getBoundingClientRect().bottom");
    browser.screen(1280, end.intValue() + 12);
    Path made = PICTURES.resolve("readme.png");
    Files.write(made, browser.driver().getScreenshotAs(OutputType.BYTES)); // what the screen shows

    assertThat(made.toFile()).size().isBetween(20_000L, 200_000L);
    assertThat(README_PICTURE.toFile()).size().isBetween(20_000L, 200_000L);
  }
}
