package io.github.batchnorm;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The result of a {@link GradientCheck}: the verdict, and every entry that was compared. A test
 * calls {@link #assertPassed}, whose message is {@link #toString}. A report is immutable.
 *
 * <pre>{@code
 * double[] p = {3, 0.5};
 * double[] dp = {Math.exp(0.5), 3 * Math.exp(0.5)};
 * GradientReport report = new GradientCheck().check(at -> at[0] * Math.exp(at[1]), p, dp);
 * report.assertPassed();
 * }</pre>
 *
 * @since 1.0
 */
public final class GradientReport {
  private static final int MOST = 5; // entries of each kind that are printed

  private final double tolerance;
  private final List<Findings> all; // one for each gradient
  private final List<Entry> entries; // of all, the worst first

  GradientReport(double tolerance, List<Findings> all) {
    this.tolerance = tolerance;
    this.all = List.copyOf(all);
    Comparator<Entry> worstFirst = Comparator.comparingDouble(Entry::share).reversed();
    entries = all.stream().flatMap(f -> f.entries().stream()).sorted(worstFirst).toList();
  }

  /**
   * Whether the check shows that the gradient is correct: it {@link #agrees} and is not {@link
   * #isVacuous vacuous}.
   *
   * @return true if a test may pass
   */
  public boolean passed() {
    return agrees() && !isVacuous();
  }

  /**
   * Whether all entries agree and f is repeatable.
   *
   * @return true if there is no contradiction
   */
  public boolean agrees() {
    return failures().isEmpty() && all.stream().allMatch(Findings::isRepeatable);
  }

  /**
   * Whether a gradient of zeros would agree too, as if there were no backward pass at all. A check
   * of several gradients is vacuous if one of them is.
   *
   * @return true if the check shows nothing
   */
  public boolean isVacuous() {
    return all.stream().anyMatch(Findings::isVacuous);
  }

  /**
   * Throws unless the check {@link #passed}, so that a test fails with the report as its message.
   *
   * @throws AssertionError if the check did not pass; the message is the whole report
   */
  public void assertPassed() {
    if (!passed()) {
      throw new AssertionError(this);
    }
  }

  /**
   * All entries that were compared.
   *
   * @return at least one entry, the worst first: that is the one whose difference is the largest
   *     share of what is allowed; unmodifiable
   */
  public List<Entry> entries() {
    return entries;
  }

  /**
   * The entries that do not agree.
   *
   * @return all of them, the worst first; unmodifiable
   */
  public List<Entry> failures() {
    return those(entry -> !entry.agrees());
  }

  /**
   * The entries that agree because they lie between the slopes of a kink.
   *
   * @return all of them, the worst first; unmodifiable
   */
  public List<Entry> kinks() {
    return those(entry -> entry.agrees() && entry.isKink());
  }

  /**
   * The entries that agree because they are too small to be told from rounding.
   *
   * @return all of them, the worst first; unmodifiable
   */
  public List<Entry> zeros() {
    return those(entry -> entry.agrees() && entry.isZero());
  }

  /**
   * Remarks on the check as a whole: that f is not repeatable, that the check is vacuous, that no
   * step moved an output, or that the outputs are floats.
   *
   * @return empty if there is nothing to say; unmodifiable
   */
  public List<String> reasons() {
    return all.stream().flatMap(findings -> findings.reasons().stream()).toList();
  }

  private List<Entry> those(Predicate<Entry> condition) {
    return entries.stream().filter(condition).toList();
  }

  /** Verdict, counts, reasons, up to five failures or else the worst entry, up to five kinks. */
  @Override
  public String toString() {
    String verdict = !agrees() ? "FAILED" : isVacuous() ? "VACUOUS" : "passed";
    String format = "%s: %d of %d entries fail at tolerance %.1e; %d zero, %d at a kink, %d rough";
    int[] of = {zeros().size(), kinks().size(), those(Entry::isRough).size()};
    int failed = failures().size();
    List<String> lines = new ArrayList<>();
    lines.add(
        String.format(
            Locale.ROOT, format, verdict, failed, entries.size(), tolerance, of[0], of[1], of[2]));
    lines.addAll(reasons());
    failures().stream().limit(MOST).forEach(entry -> lines.add(entry.toString()));
    if (failed == 0) {
      lines.add("worst: " + entries.get(0));
    }
    Stream<Entry> more = kinks().stream().filter(entry -> entry != entries.get(0)); // said above
    more.limit(MOST).forEach(entry -> lines.add(entry.toString()));
    return String.join("\n  ", lines);
  }

  /**
   * One entry of a gradient.
   *
   * @param name such as {@code dx[2][3]}
   * @param analytic the derivative in question
   * @param low the numeric derivative; at a kink the least slope
   * @param high the numeric derivative; at a kink the largest slope
   * @param allowed how far analytic may be from low or high: {@code tolerance * max(|analytic|,
   *     |numeric|)}, and what noise makes of the numeric derivative
   * @param isRough whether noise leaves few digits of the numeric derivative, so that an error of
   *     up to {@code allowed} goes unnoticed
   * @since 1.0
   */
  public record Entry(
      String name, double analytic, double low, double high, double allowed, boolean isRough) {

    /**
     * Whether the difference is no larger than what is allowed.
     *
     * @return false if a value is not finite
     */
    public boolean agrees() {
      return share() <= 1;
    }

    /**
     * Whether f has a kink here: its slopes to the right and to the left differ.
     *
     * @return false where f is smooth
     */
    public boolean isKink() {
      return low < high;
    }

    /**
     * Whether the entry is too small to be told from rounding.
     *
     * @return true if analytic and numeric are no larger than what is allowed
     */
    public boolean isZero() {
      return Math.max(Math.abs(analytic), Math.max(Math.abs(low), Math.abs(high))) <= allowed;
    }

    /** Whether 0 in the place of analytic would agree too. */
    boolean acceptsZero() {
      return Math.max(low, -high) <= allowed;
    }

    /**
     * How far analytic is from the numeric derivative.
     *
     * @return 0 between the slopes of a kink; NaN if a value is not finite
     */
    public double difference() {
      return Math.max(0, Math.max(low - analytic, analytic - high));
    }

    /** The difference as a share of what is allowed. */
    private double share() {
      double share = difference() == 0 ? 0 : difference() / allowed;
      return Double.isFinite(allowed) ? share : Double.POSITIVE_INFINITY;
    }

    @Override
    public String toString() {
      String found = isKink() ? "at a kink, slopes " + low + " to " + high : "numerically " + low;
      String odd = Double.isFinite(low) ? "" : ", f is not finite around here";
      odd = isRough ? ", rough: noise hides its further digits" : odd;
      String text = "%s is %s, %s: difference %.1e, allowed %.1e%s";
      return String.format(Locale.ROOT, text, name, analytic, found, difference(), allowed, odd);
    }
  }

  /**
   * What was found about one gradient.
   *
   * @param entries in the order in which they were compared
   * @param isRepeatable whether the last call of f gave the same outputs as the first, to the bit
   * @param isVacuous whether all entries agree, and zeros in their place would too
   * @param reasons remarks on the gradient as a whole
   */
  record Findings(
      List<Entry> entries, boolean isRepeatable, boolean isVacuous, List<String> reasons) {}
}
