package io.github.batchnorm.example;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class OutputFileTest {
  @TempDir private Path folder;

  @Test
  void only_the_file_itself_is_written() throws IOException {
    Path file = Files.writeString(folder.resolve("page.html"), "old");
    Path other = Files.writeString(folder.resolve("page.html.tmp"), "of the user");
    OutputFile.write(file, new byte[] {'n', 'e', 'w'});

    assertThat(file).hasContent("new");
    assertThat(other).hasContent("of the user");
    assertThat(folder).isDirectoryNotContaining(path -> !path.equals(file) && !path.equals(other));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void others_may_read_it_as_they_may_read_any_new_file() throws IOException {
    Path file = folder.resolve("page.html");
    OutputFile.write(file, new byte[1]);

    assertThat(Files.getPosixFilePermissions(file))
        .isEqualTo(Files.getPosixFilePermissions(Files.createFile(folder.resolve("new"))));
  }

  @Test
  void a_failure_leaves_nothing_behind() throws IOException {
    Path full = Files.createDirectories(folder.resolve("full").resolve("of files")).getParent();

    assertThatThrownBy(() -> OutputFile.write(full, new byte[1])).isInstanceOf(IOException.class);
    assertThat(folder).isDirectoryNotContaining(path -> !path.equals(full));
  }

  @Test
  void a_name_may_be_as_long_as_the_file_system_allows() throws IOException {
    Path file = folder.resolve("x".repeat(250) + ".html");
    OutputFile.write(file, new byte[] {'n', 'e', 'w'});

    assertThat(file).hasContent("new");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS) // only administrators make links
  void a_link_stays_and_what_it_points_to_is_replaced() throws IOException {
    Path file = Files.writeString(folder.resolve("page.html"), "old");
    Path link = Files.createSymbolicLink(folder.resolve("link.html"), file);
    OutputFile.write(link, new byte[] {'n', 'e', 'w'});

    assertThat(link).isSymbolicLink();
    assertThat(file).isRegularFile().hasContent("new");
  }
}
