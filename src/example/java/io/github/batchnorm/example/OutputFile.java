package io.github.batchnorm.example;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardOpenOption.CREATE_NEW;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/** Files that are there whole or not at all, also when Ctrl-C comes in between. */
final class OutputFile {
  /** Where the programs write: in the current folder, as Maven does; git ignores it. */
  static final Path FOLDER = Path.of("target");

  private OutputFile() {}

  /**
   * Makes {@link #FOLDER} if it is missing.
   *
   * @throws IOException if that is not possible; the message is meant for the user
   */
  static void makeFolder() throws IOException {
    try {
      Files.createDirectories(FOLDER);
    } catch (IOException e) {
      throw cannotWrite(FOLDER, e);
    }
  }

  /**
   * Writes a file, in the place of an older one if there is any. A link stays; what it points to is
   * replaced.
   *
   * @throws IOException if that is not possible; the message is meant for the user
   */
  static void write(Path file, byte[] content) throws IOException {
    try {
      replace(Files.exists(file) ? file.toRealPath() : file, content);
    } catch (IOException e) {
      throw cannotWrite(file, e);
    }
  }

  private static void replace(Path file, byte[] content) throws IOException {
    // no name that a user's file has, nor one longer than what fits a long name of the file; and no
    // Files.createTempFile, whose files only the owner reads
    Path unfinished = file.resolveSibling(UUID.randomUUID() + ".tmp");
    unfinished.toFile().deleteOnExit();
    try {
      Files.write(unfinished, content, CREATE_NEW);
      Files.move(unfinished, file, ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }

  private static IOException cannotWrite(Path file, IOException e) {
    // e names the unfinished file, which the user does not know
    String reason = e instanceof FileSystemException f ? f.getReason() : e.getMessage();
    String why = reason == null ? e.getClass().getSimpleName() : reason;
    return new IOException("cannot write " + file + ": " + why, e);
  }
}
