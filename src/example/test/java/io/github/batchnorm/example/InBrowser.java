package io.github.batchnorm.example;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** What the tests of {@link GraphPage} in a real browser have in common. */
abstract class InBrowser {
  /** Which nodes a step makes: the table of the README, not the page's own. */
  static final Map<String, List<String>> MADE = new LinkedHashMap<>();

  static {
    MADE.put("0", List.of("x", "gamma", "beta"));
    MADE.put("1", List.of("mu"));
    MADE.put("2", List.of("xmu"));
    MADE.put("3", List.of("sq"));
    MADE.put("4", List.of("var"));
    MADE.put("5", List.of("sqrtvar"));
    MADE.put("6", List.of("ivar"));
    MADE.put("7", List.of("xhat"));
    MADE.put("8", List.of("gammax"));
    MADE.put("9", List.of("out"));
    MADE.put("b9", List.of("dout", "dbeta", "dgammax"));
    MADE.put("b8", List.of("dgamma", "dxhat"));
    MADE.put("b7", List.of("divar", "dxmu1"));
    MADE.put("b6", List.of("dsqrtvar"));
    MADE.put("b5", List.of("dvar"));
    MADE.put("b4", List.of("dsq"));
    MADE.put("b3", List.of("dxmu2"));
    MADE.put("b2", List.of("dx1", "dmu"));
    MADE.put("b1", List.of("dx2"));
    MADE.put("b0", List.of("dx"));
  }

  @TempDir static Path folder;
  static Browser browser;

  @BeforeAll
  static void start() throws IOException {
    browser = new Browser(Files.createDirectory(folder.resolve("profile")));
    for (Example example : Example.values()) {
      write(example.name(), example.walk());
    }
  }

  static Path write(String name, GraphWalk walk) throws IOException {
    return Files.writeString(folder.resolve(name + ".html"), PageTemplate.fill(walk.toJson()));
  }

  @AfterAll
  static void stop() {
    if (browser != null) {
      browser.close();
    }
  }

  @BeforeEach
  void defaults() {
    browser.screen(1280, 900);
    browser.medium("screen", "light");
  }

  @AfterEach
  void nothing_went_wrong_and_nothing_was_loaded() {
    assertThat(browser.console()).isEmpty();
    List<String> loaded =
        browser.run("return performance.getEntriesByType('resource').map(entry => entry.name)");
    assertThat(loaded).isEmpty();
  }

  static void open(Example example, String fragment) {
    browser.open(folder.resolve(example + ".html"), fragment);
  }

  static void open(String fragment) {
    open(Example.WORKED_BY_HAND, fragment);
  }

  static String step() {
    return browser.run("return document.querySelector('[aria-current]').dataset.step");
  }

  static String fragment() {
    return browser.run("return location.hash");
  }

  /** By node, by "row,column": the number in full, a space, the number as it is seen. */
  static Map<String, Map<String, String>> shown(String selector) {
    return browser.runFile("shown.js", selector);
  }
}
