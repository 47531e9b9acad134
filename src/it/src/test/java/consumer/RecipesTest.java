package consumer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import jdk.jshell.JShell;
import jdk.jshell.Snippet;
import jdk.jshell.SnippetEvent;
import jdk.jshell.SourceCodeAnalysis.CompletionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every recipe runs in JShell as it stands on the page, and prints what stands there. */
class RecipesTest {
  /** A heading, some text, a snippet, what it prints. */
  private static final Pattern RECIPE =
      Pattern.compile(
          "### (.*)\n\n((?:(?!#|```).*\n)+)```java\n((?:.*\n)+?)```\n\n```\n((?:.*\n)+?)```\n");

  private static final Pattern HEADING = Pattern.compile("(?m)^###? (.*)$");

  /** What the program jshell imports by itself. */
  private static final String IMPORTS =
      Stream.of(
              "java.io",
              "java.math",
              "java.net",
              "java.nio.file",
              "java.util",
              "java.util.concurrent",
              "java.util.function",
              "java.util.prefs",
              "java.util.regex",
              "java.util.stream")
          .map(name -> "import " + name + ".*;\n")
          .reduce("", String::concat);

  record Recipe(String heading, String snippet, String output) {
    @Override
    public String toString() {
      return heading;
    }
  }

  /** A checkout, or a process, may end lines with a carriage return too. */
  private static String withLineFeeds(String text) {
    return text.replace("\r\n", "\n");
  }

  private static String page() throws IOException {
    return withLineFeeds(Files.readString(Path.of("../site/markdown/recipes.md")));
  }

  static List<Recipe> recipes() throws IOException {
    return RECIPE
        .matcher(page())
        .results()
        .map(found -> new Recipe(found.group(1), found.group(3), found.group(4)))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("recipes")
  void a_recipe_prints_what_the_page_says(Recipe recipe) {
    assertEquals(recipe.output(), withLineFeeds(run(recipe.snippet())));
  }

  @Test
  void no_recipe_is_forgotten() throws IOException {
    assertEquals(page().split("```java").length - 1, recipes().size());
    assertEquals(page().split("\n### ").length - 1, recipes().size());
  }

  @Test
  void the_contents_list_every_heading() throws IOException {
    String contents =
        HEADING.matcher(page()).results().map(RecipesTest::entry).reduce("", String::concat);
    assertTrue(page().contains("\n\n" + contents + "\n"), contents);
  }

  /** A link as the page is shown: the anchor is the heading without capitals and marks. */
  private static String entry(MatchResult heading) {
    String text = heading.group(1);
    String anchor = text.toLowerCase(Locale.ROOT).replaceAll("[^\\w\\- ]", "").replace(' ', '-');
    return (heading.group().startsWith("###") ? "  " : "") + "- [" + text + "](#" + anchor + ")\n";
  }

  @Test
  void no_line_of_text_or_code_is_longer_than_100_characters() throws IOException {
    String withoutOutputs = RECIPE.matcher(page()).replaceAll("$1\n$2$3");
    String withoutContents = withoutOutputs.replaceAll("(?m)^ *- \\[.*\\)$", "");
    assertEquals(List.of(), withoutContents.lines().filter(line -> line.length() > 100).toList());
  }

  /** What the recipe prints when its lines are typed into jshell, one by one. */
  private static String run(String recipe) {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    PrintStream before = System.out;
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try (JShell shell = JShell.builder().executionEngine("local").build()) {
      shell.addToClasspath(System.getProperty("surefire.test.class.path"));
      String read = "";
      for (String line : (IMPORTS + recipe).lines().toList()) {
        read = evaluate(shell, read + line + "\n");
      }
      assertEquals("", read, "not complete");
    } finally {
      System.setOut(before);
    }
    return printed.toString(StandardCharsets.UTF_8);
  }

  /** Runs what is complete, and returns the rest. */
  private static String evaluate(JShell shell, String read) {
    CompletionInfo next = shell.sourceCodeAnalysis().analyzeCompletion(read);
    while (!read.isBlank() && next.completeness().isComplete()) {
      shell.eval(next.source()).forEach(event -> assertRan(shell, event));
      read = next.remaining();
      next = shell.sourceCodeAnalysis().analyzeCompletion(read);
    }
    return read.isBlank() ? "" : read;
  }

  private static void assertRan(JShell shell, SnippetEvent event) {
    List<String> errors =
        shell.diagnostics(event.snippet()).map(error -> error.getMessage(Locale.ROOT)).toList();
    String source = event.snippet().source();
    assertEquals(Snippet.Status.VALID, event.status(), () -> source + errors);
    if (event.exception() != null) {
      throw new AssertionError(source, event.exception());
    }
  }
}
