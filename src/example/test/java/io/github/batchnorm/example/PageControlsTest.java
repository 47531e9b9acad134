package io.github.batchnorm.example;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;

/** Stepping and choosing, by mouse, keyboard, finger and link. */
class PageControlsTest extends InBrowser {
  @Test
  void arrow_keys_step_and_stop_at_both_ends() {
    open("");
    browser.press(Keys.ARROW_LEFT);
    assertThat(step()).isEqualTo("0");
    for (String expected : MADE.keySet()) {
      assertThat(step()).isEqualTo(expected);
      browser.press(Keys.ARROW_RIGHT);
    }
    assertThat(step()).isEqualTo("b0");
    assertThat(fragment()).isEqualTo("#step=b0");
    browser.press(Keys.ARROW_LEFT, Keys.ARROW_LEFT);
    assertThat(step()).isEqualTo("b2");
    browser.press(Keys.chord(Keys.ALT, Keys.SHIFT, Keys.ARROW_LEFT)); // the browser's own
    assertThat(step()).isEqualTo("b2");
  }

  @Test
  void arrow_keys_scroll_the_table_that_has_the_focus_if_it_is_too_wide() {
    browser.screen(390, 844);
    open(Example.LARGEST, "#step=b6");
    WebElement number = browser.find("[data-made='dsqrtvar,0,0']");
    browser.run("arguments[0].focus()", number);
    browser.press(Keys.ARROW_RIGHT);
    browser.await("document.activeElement.closest('.scroll').scrollLeft > 0");
    assertThat(step()).isEqualTo("b6");

    open("#step=b6");
    browser.run("arguments[0].focus()", browser.find("[data-made='dsqrtvar,0,0']"));
    browser.press(Keys.ARROW_RIGHT);
    assertThat(step()).isEqualTo("b5");
    assertThat(browser.<String>run("return document.activeElement.id")).isEqualTo("step");
  }

  @Test
  void buttons_step_back_and_forward() {
    open("");
    assertThat(browser.find("#back").isEnabled()).isFalse();
    browser.find("#forward").click();
    browser.find("#forward").click();
    assertThat(step()).isEqualTo("2");
    browser.find("#back").click();
    assertThat(step()).isEqualTo("1");
    assertThat(browser.text("#title")).isEqualTo("Forward, step 1 of 9: mu");
  }

  @Test
  void every_step_can_be_chosen_in_the_bar() {
    open("");
    for (String step : MADE.keySet()) {
      browser.find("[data-step='" + step + "']").click();
      assertThat(step()).isEqualTo(step);
      assertThat(fragment()).isEqualTo("#step=" + step);
    }
  }

  @Test
  void run_goes_on_until_the_end_and_a_step_stops_it() {
    open("#step=b2");
    browser.find("#run").click();
    assertThat(browser.text("#run")).isEqualTo("Stop");
    browser.await("document.querySelector('[aria-current]').dataset.step === 'b0'");
    assertThat(browser.text("#run")).isEqualTo("Run");
    assertThat(browser.find("#run").isEnabled()).isFalse();
    browser.press(Keys.SPACE);
    assertThat(browser.text("#run")).isEqualTo("Run");

    open("#step=3");
    browser.press(Keys.SPACE);
    assertThat(browser.text("#run")).isEqualTo("Stop");
    browser.press(Keys.ARROW_LEFT);
    assertThat(browser.text("#run")).isEqualTo("Run");
    assertThat(step()).isIn("2", "3"); // a slow machine may have run from 3 to 4 before
  }

  @Test
  void a_swipe_steps() {
    browser.screen(390, 844);
    open("#step=4");
    browser.swipe(300, 100);
    browser.await("location.hash === '#step=5'");
    browser.swipe(100, 300);
    browser.await("location.hash === '#step=4'");
    browser.swipe(200, 230); // too short
    browser.swipe(300, 100);
    browser.await("location.hash === '#step=5'");
  }

  @Test
  void the_fragment_is_a_link_to_a_state() {
    open("#step=6");
    assertThat(browser.text("#title")).isEqualTo("Forward, step 6 of 9: ivar");
    browser.run("location.hash = '#step=b3&nodes=sq,xmu&cell=dxmu2,1,0'");
    browser.await("document.querySelector('[aria-current]').dataset.step === 'b3'");
    assertThat(shown("#compared")).containsOnlyKeys("sq", "dsq", "xmu", "dxmu1", "dxmu2");
    assertThat(browser.text("#sum .short")).startsWith("dxmu2[1][0] = 2 × 1 × (−0.125) = −0.25");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "#step=10",
        "#step=b10",
        "#step=",
        "#%",
        "#nodes=hack,toString",
        "#cell=mu,1,0",
        "#cell=dx,9,9",
        "#cell=constructor,0,0",
        "#step=0&step=2"
      })
  void a_fragment_that_means_nothing_is_the_start(String fragment) {
    open(fragment);
    assertThat(step()).isEqualTo("0");
    assertThat(shown("#compared")).isEmpty();
    assertThat(browser.text("#sum")).isEqualTo("Choose a number to see where it comes from.");
  }

  @Test
  void nodes_are_compared_by_click_and_by_keyboard() {
    open("#step=b0");
    browser.find("[data-name='mu']").click();
    assertThat(shown("#compared")).containsOnlyKeys("mu", "dmu");
    browser.find("[data-name='x']").sendKeys(Keys.ENTER);
    assertThat(shown("#compared")).containsOnlyKeys("mu", "dmu", "x", "dx1", "dx2", "dx");
    assertThat(fragment()).isEqualTo("#step=b0&nodes=mu,x");
    assertThat(focused("name")).isEqualTo("x");
    browser.press(Keys.SPACE);
    assertThat(shown("#compared")).containsOnlyKeys("mu", "dmu");
    browser.find("[aria-label='Remove mu']").click();
    assertThat(shown("#compared")).isEmpty();
  }

  @Test
  void who_removes_a_node_by_keyboard_goes_on_to_the_next() {
    open("#step=b0&nodes=mu,sq,mu,var");
    assertThat(removable()).containsExactly("Remove mu", "Remove sq", "Remove var");
    browser.find("[aria-label='Remove sq']").sendKeys(Keys.ENTER);
    assertThat(removable()).containsExactly("Remove mu", "Remove var");
    browser.press(Keys.ENTER); // var, which took the place of sq
    assertThat(removable()).containsExactly("Remove mu");
    browser.press(Keys.ENTER);
    assertThat(removable()).isEmpty();
    assertThat(browser.<String>run("return document.activeElement.id")).isEqualTo("compare");
  }

  private static List<String> removable() {
    return browser.run(
        "return [...document.querySelectorAll('#compared button[aria-label]')].map(b => b.ariaLabel)");
  }

  @Test
  void a_node_that_is_not_computed_yet_says_when_it_will_be() {
    open("#step=3&nodes=var");
    assertThat(browser.text("#compared"))
        .contains("var comes in forward step 4", "dvar comes in backward step 5");
  }

  @Test
  void the_picture_lights_what_a_step_makes_and_takes() {
    open("#step=b7");
    assertThat(classed(".node.now", "name")).containsExactly("xhat");
    assertThat(classed(".node.input", "name")).containsExactlyInAnyOrder("xmu", "ivar");
    assertThat(classed(".edge:has(.red.now)", "gradient"))
        .containsExactlyInAnyOrder("dxmu1", "divar");
    assertThat(classed(".edge:has(.red.arriving)", "gradient")).containsExactly("dxhat");
    open("#step=2");
    assertThat(classed(".node.now", "name")).containsExactly("xmu");
    assertThat(classed(".node.input", "name")).containsExactlyInAnyOrder("x", "mu");
    assertThat(classed(".node.ahead", "name"))
        .containsExactlyInAnyOrder("sq", "var", "sqrtvar", "ivar", "xhat", "gammax", "out");
  }

  private static List<String> classed(String selector, String data) {
    return browser.run(
        "return [...document.querySelectorAll(arguments[0])].map(e => e.dataset[arguments[1]])",
        selector,
        data);
  }

  private static String focused(String data) {
    return browser.run("return document.activeElement.dataset[arguments[0]]", data);
  }

  @Test
  void the_tab_key_goes_from_the_bar_over_the_nodes_to_the_numbers() {
    open("#step=1");
    List<String> order = new ArrayList<>();
    for (int k = 0; k < 3 + 20 + 12 + 8; k++) {
      browser.press(Keys.TAB);
      order.add(
          browser.run(
              """
              const {id, dataset} = document.activeElement;
              return id || dataset.step || dataset.name || dataset.cell;
              """));
    }
    List<String> expected = new ArrayList<>(List.of("back", "forward", "run"));
    expected.addAll(MADE.keySet());
    expected.addAll(List.of("x", "gamma", "beta", "mu", "xmu", "sq", "var", "sqrtvar", "ivar"));
    expected.addAll(List.of("xhat", "gammax", "out"));
    expected.addAll(List.of("x,0,0", "x,0,1", "x,1,0", "x,1,1", "x,2,0", "x,2,1"));
    expected.addAll(List.of("mu,0,0", "mu,0,1"));
    assertThat(order).isEqualTo(expected);
    browser.press(Keys.ENTER);
    assertThat(fragment()).isEqualTo("#step=1&cell=mu,0,1");
    assertThat(focused("cell")).isEqualTo("mu,0,1");
  }
}
