package io.github.batchnorm.example;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Files that are there whole or not at all, also when Ctrl-C comes in between. */
final class OutputFile {
  private OutputFile() {}

  /** Writes a file, in the place of an older one if there is any. */
  static void write(Path file, byte[] content) throws IOException {
    Path unfinished = file.resolveSibling(file.getFileName() + ".tmp");
    unfinished.toFile().deleteOnExit();
    Files.write(unfinished, content);
    Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
  }
}
