package io.github.batchnorm.example;

/** A data file that is missing or wrong; the message names the file and is meant for the user. */
final class DataException extends Exception {
  private static final long serialVersionUID = 1;

  DataException(String message) {
    super(message);
  }
}
