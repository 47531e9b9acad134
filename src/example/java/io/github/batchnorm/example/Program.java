package io.github.batchnorm.example;

import java.io.IOException;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * What the command-line programs have in common: {@code --help}, the exit codes, and messages of
 * one line. A program extends this class and adds its options.
 */
@Command(
    sortOptions = false,
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:a file cannot be written",
      "2:an option or a data file is wrong; the message says which"
    })
abstract class Program implements Callable<Integer> {
  private static final int CANNOT_WRITE = 1;
  private static final int WRONG = 2;
  private static final int TYPING_ERRORS = 2; // two letters in the wrong order are two

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      order = 1, // after the options of the program, which have -1
      description = "print this and stop")
  private boolean help;

  @Spec private CommandSpec spec;

  /**
   * Does the work.
   *
   * @throws ParameterException from {@link #bad}: if an option is wrong
   * @throws DataException if a file of the user is wrong
   * @throws IOException if a file cannot be written; the message is meant for the user
   */
  abstract void run() throws DataException, IOException;

  /** Runs a program and ends the JVM unless all went well. */
  static void main(Program program, String[] args) {
    int exitCode = program.commandLine().execute(args);
    if (exitCode != 0) {
      System.exit(exitCode); // the only way to tell Maven
    }
  }

  /** The program, ready to be executed once. */
  final CommandLine commandLine() {
    return new CommandLine(this).setParameterExceptionHandler(Program::explain);
  }

  @Override
  public final Integer call() {
    try {
      run();
      return 0;
    } catch (DataException e) {
      return fail(WRONG, e.getMessage(), spec.commandLine());
    } catch (IOException e) {
      return fail(CANNOT_WRITE, e.getMessage(), spec.commandLine());
    }
  }

  /** Prints a line; numbers look the same in every country. */
  final void print(String format, Object... values) {
    spec.commandLine().getOut().printf(Locale.ROOT, format + "%n", values);
  }

  /** The exception for an option that is wrong. */
  final ParameterException bad(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  /** One line; the default would print all of the help after it. */
  private static int explain(ParameterException e, String[] args) {
    String hint = e instanceof UnmatchedArgumentException unmatched ? suggestion(unmatched) : "";
    return fail(WRONG, e.getMessage() + hint + " (see --help)", e.getCommandLine());
  }

  private static int fail(int exitCode, String message, CommandLine program) {
    program.getErr().println(printable(message));
    return exitCode;
  }

  /**
   * A text for the terminal. Characters that a terminal acts on, such as an escape sequence out of
   * a file, become {@code \}{@code u001b} and the like.
   */
  static String printable(String text) {
    return text.codePoints()
        .mapToObj(c -> acts(c) ? String.format("\\u%04x", c) : Character.toString(c))
        .collect(Collectors.joining());
  }

  private static boolean acts(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT, // also changes the direction of a line
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE ->
          true;
      default -> false;
    };
  }

  /** The option that a mistyped one may stand for; picocli suggests none for --cvs. */
  private static String suggestion(UnmatchedArgumentException e) {
    String typed = e.getUnmatched().get(0);
    Optional<String> nearest =
        e.getCommandLine().getCommandSpec().optionsMap().keySet().stream()
            .filter(option -> option.startsWith("--"))
            .min(Comparator.comparingInt(option -> distance(typed, option)));
    return nearest
        .filter(option -> distance(typed, option) <= TYPING_ERRORS)
        .map(option -> "; did you mean " + option + "?")
        .orElse("");
  }

  /** How many letters to insert, delete or replace until one text is the other (Levenshtein). */
  private static int distance(String a, String b) {
    int[] row = IntStream.rangeClosed(0, b.length()).toArray();
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
