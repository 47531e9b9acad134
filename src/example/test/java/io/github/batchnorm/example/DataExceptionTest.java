package io.github.batchnorm.example;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class DataExceptionTest {
  static Stream<Arguments> reasons() {
    return Stream.of(
        Arguments.of(new NoSuchFileException("/x.csv"), "\"x.csv\" does not exist"),
        Arguments.of(new AccessDeniedException("/x.csv"), "\"x.csv\" may not be read"),
        Arguments.of(new MalformedInputException(1), "\"x.csv\" is not a text in UTF-8"),
        Arguments.of(new IOException("Disk fault"), "\"x.csv\" cannot be read: Disk fault"));
  }

  /** Made up, since root may read every file. */
  @ParameterizedTest
  @MethodSource("reasons")
  void the_message_says_why_a_file_cannot_be_read(IOException why, String message) {
    assertThat(DataException.unreadable("\"x.csv\"", why)).hasMessage(message);
  }
}
