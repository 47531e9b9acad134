package io.github.batchnorm.example;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;

/** The page of {@link GraphPage}: page.html, with its style, its scripts and the values put in. */
final class PageTemplate {
  private static final List<String> PARTS =
      List.of("page.css", "nodes.js", "picture.js", "page.js");

  private PageTemplate() {}

  /**
   * One page that needs no other file.
   *
   * @param json the values, which must not contain {@code </script}
   */
  static String fill(String json) {
    String page = resource("page.html");
    for (String part : PARTS) {
      page = page.replace("{{" + part + "}}", resource(part));
    }
    return page.replace("{{values}}", json); // last: whatever is in them is not replaced
  }

  private static String resource(String name) {
    try (InputStream in = PageTemplate.class.getResourceAsStream("graph/" + name)) {
      return new String(in.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
