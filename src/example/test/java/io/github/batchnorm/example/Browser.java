package io.github.batchnorm.example;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.openqa.selenium.By;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;
import org.openqa.selenium.support.ui.WebDriverWait;

/**
 * A headless Chromium, driven by chromedriver: both as they are installed, nothing is downloaded.
 */
final class Browser implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final String MISSING =
      "The page is not tested: no chromium and chromedriver on the PATH"
          + " (Debian: chromium, chromium-driver)";

  /** Held, or its level would be forgotten: a newer browser than Selenium knows is no warning. */
  private static final Logger LOGGER = Logger.getLogger("org.openqa.selenium");

  static {
    LOGGER.setLevel(Level.SEVERE);
  }

  private final ChromeDriver driver;

  /**
   * Starts the browser; skips the test if there is none.
   *
   * @param profile an empty folder
   */
  Browser(Path profile) {
    Optional<File> chromium = program("chromium");
    Optional<File> chromedriver = program("chromedriver");
    boolean installed = chromium.isPresent() && chromedriver.isPresent();
    if (!installed) {
      System.out.println(MISSING); // Surefire counts what is skipped, but does not say why
    }
    assumeTrue(installed, MISSING);
    LoggingPreferences logs = new LoggingPreferences();
    logs.enable(LogType.BROWSER, Level.ALL);
    ChromeOptions options = new ChromeOptions();
    options.setBinary(chromium.get());
    options.setCapability("goog:loggingPrefs", logs);
    options.addArguments(
        "--headless=new",
        "--no-sandbox", // root has none
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--user-data-dir=" + profile);
    ChromeDriverService service =
        new ChromeDriverService.Builder().usingDriverExecutable(chromedriver.get()).build();
    driver = new ChromeDriver(service, options);
  }

  private static Optional<File> program(String name) {
    return Stream.of(System.getenv("PATH").split(Pattern.quote(File.pathSeparator)))
        .map(folder -> Path.of(folder, name))
        .filter(Files::isExecutable)
        .map(Path::toFile)
        .findFirst();
  }

  /** For axe-core. */
  ChromeDriver driver() {
    return driver;
  }

  /** Opens a page anew, also if only the fragment differs from what is open. */
  void open(Path page, String fragment) {
    driver.get("about:blank");
    driver.get(page.toUri() + fragment);
  }

  void screen(int width, int height) {
    driver.executeCdpCommand(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", width < 600));
    driver.executeCdpCommand("Emulation.setTouchEmulationEnabled", Map.of("enabled", width < 600));
  }

  /**
   * Sets what the page sees of the medium.
   *
   * @param type screen or print
   * @param scheme light or dark
   */
  void medium(String type, String scheme) {
    Map<String, String> feature = Map.of("name", "prefers-color-scheme", "value", scheme);
    driver.executeCdpCommand(
        "Emulation.setEmulatedMedia", Map.of("media", type, "features", List.of(feature)));
  }

  /** All of the page, also what is below the screen, as a .png file. */
  byte[] picture() {
    return decoded("Page.captureScreenshot", Map.of("captureBeyondViewport", true));
  }

  /** What a printer gets, as a .pdf file. */
  byte[] print() {
    return decoded("Page.printToPDF", Map.of("preferCSSPageSize", true, "printBackground", true));
  }

  private byte[] decoded(String command, Map<String, Object> parameters) {
    Object data = driver.executeCdpCommand(command, parameters).get("data");
    return Base64.getDecoder().decode((String) data);
  }

  /** A swipe of one finger over the middle of the screen. */
  void swipe(int fromX, int toX) {
    touch("touchStart", fromX);
    touch("touchMove", (fromX + toX) / 2);
    touch("touchMove", toX);
    driver.executeCdpCommand(
        "Input.dispatchTouchEvent", Map.of("type", "touchEnd", "touchPoints", List.of()));
  }

  private void touch(String type, int x) {
    Map<String, Integer> point = Map.of("x", x, "y", 400);
    driver.executeCdpCommand(
        "Input.dispatchTouchEvent", Map.of("type", type, "touchPoints", List.of(point)));
  }

  WebElement find(String selector) {
    return driver.findElement(By.cssSelector(selector));
  }

  String text(String selector) {
    return find(selector).getText();
  }

  void press(CharSequence... keys) {
    driver.switchTo().activeElement().sendKeys(keys);
  }

  /** Runs a script whose result has the type that the caller expects. */
  @SuppressWarnings("unchecked")
  <T> T run(String script, Object... arguments) {
    return (T) driver.executeScript(script, arguments);
  }

  /** The same with a script from a file beside this class. */
  <T> T runFile(String name, Object... arguments) {
    try (InputStream in = Browser.class.getResourceAsStream(name)) {
      return run(new String(in.readAllBytes(), UTF_8), arguments);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The texts of all elements that a selector names. */
  List<String> texts(String selector) {
    return run(
        "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)", selector);
  }

  /** Waits until an expression is true; fails if that takes too long. */
  void await(String expression) {
    new WebDriverWait(driver, PATIENCE, Duration.ofMillis(20))
        .withMessage(expression)
        .until(d -> Boolean.TRUE.equals(driver.executeScript("return " + expression)));
  }

  /** What the console has said since the last call. */
  List<String> console() {
    return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
        .map(Object::toString)
        .toList();
  }

  @Override
  public void close() {
    driver.quit();
  }
}
