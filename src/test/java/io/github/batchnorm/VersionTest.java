package io.github.batchnorm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The version stands in pom.xml; where it is said again, it is the same. */
class VersionTest {
  /** Of the library in a pom, or in a text as a dependency or as coordinates. */
  private static final Pattern VERSION =
      Pattern.compile(
          "<artifactId>batchnorm</artifactId>\\s*<version>(.*?)</version>"
              + "|io\\.github\\.batchnorm:batchnorm:([\\w.-]*\\w)");

  private static List<String> versions(String file) throws IOException {
    return VERSION
        .matcher(Files.readString(Path.of(file)))
        .results()
        .map(VersionTest::version)
        .toList();
  }

  private static String version(MatchResult match) {
    return match.group(1) == null ? match.group(2) : match.group(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"README.md", "src/it/pom.xml", "src/spark/pom.xml"})
  void a_user_reads_the_version_of_the_pom(String file) throws IOException {
    assertThat(versions(file)).isNotEmpty().containsOnly(versions("pom.xml").get(0));
  }

  /** The versions in the headings of the changes, the newest first. */
  private static List<String> changes() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("src/site/markdown/changes.md"))) {
      return lines.filter(line -> line.startsWith("## ")).map(line -> line.substring(3)).toList();
    }
  }

  @Test
  void the_changes_begin_with_the_release_that_the_pom_leads_to() throws IOException {
    assertThat(changes()).startsWith(versions("pom.xml").get(0).replace("-SNAPSHOT", ""));
  }

  @Test
  void each_release_has_saved_what_later_versions_must_load() throws IOException {
    List<String> released = new ArrayList<>(changes());
    if (versions("pom.xml").get(0).endsWith("-SNAPSHOT")) {
      released.remove(0); // still to come
    }
    assertThat(SavedStatesTest.releases()).hasSameElementsAs(released);
  }
}
