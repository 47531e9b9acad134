package io.github.batchnorm.example;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardOpenOption.CREATE_NEW;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/** Files that are there whole or not at all, also when Ctrl-C comes in between. */
final class OutputFile {
  private OutputFile() {}

  /** Writes a file, in the place of an older one if there is any. */
  static void write(Path file, byte[] content) throws IOException {
    // no name that a user's file has; and no Files.createTempFile, whose files only the owner reads
    Path unfinished = file.resolveSibling(file.getFileName() + "." + UUID.randomUUID() + ".tmp");
    unfinished.toFile().deleteOnExit();
    try {
      Files.write(unfinished, content, CREATE_NEW);
      Files.move(unfinished, file, ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }
}
