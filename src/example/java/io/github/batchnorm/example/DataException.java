package io.github.batchnorm.example;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;

/** A data file that is missing or wrong; the message names the file and is meant for the user. */
final class DataException extends Exception {
  private static final long serialVersionUID = 1;

  DataException(String message) {
    super(message);
  }

  /**
   * Says why a file cannot be read.
   *
   * @param file its name, as the message is to show it
   */
  static DataException unreadable(String file, IOException e) {
    // the message of the first two is only the file's name
    if (e instanceof NoSuchFileException) {
      return new DataException(file + " does not exist");
    }
    if (e instanceof AccessDeniedException) {
      return new DataException(file + " may not be read");
    }
    if (e instanceof CharacterCodingException) {
      return new DataException(file + " is not a text in UTF-8");
    }
    return new DataException(file + " cannot be read: " + e.getMessage());
  }
}
