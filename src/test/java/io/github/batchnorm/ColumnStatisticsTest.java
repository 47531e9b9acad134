package io.github.batchnorm;

import static io.github.batchnorm.TestData.assertClose;
import static io.github.batchnorm.TestData.column;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InvalidObjectException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.BinaryOperator;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Statistics of rows that come in parts: digits, refusals, streams, and their use in a layer. */
@DisplayName("Statistics in parts (seed 83)")
class ColumnStatisticsTest {
  /** Many times this constant makes a plain sum round in the same direction again and again. */
  private static final double C = 0.5335945482950093;

  private static final MathContext DIGITS = new MathContext(50);

  private final Random random = new Random(83);

  /** Columns on which plain sums, or a mean in one part, lose digits. */
  private double[] row(int i) {
    return new double[] {
      random.nextGaussian(),
      1e8 + random.nextGaussian(),
      1e12 + random.nextGaussian(),
      1e8 + 1e-3 * random.nextGaussian(),
      0.1, // constant
      1e12 + 0.1, // constant
      i == 0 ? 1e12 : random.nextGaussian(),
      i == 0 ? 0 : C,
      random.nextBoolean() ? 1 : Math.nextUp(1.0),
      1e6 + 0.1 * i,
      Math.tan(Math.PI * (random.nextDouble() - 0.5)), // heavy tails
    };
  }

  private static final int FEATURES = 11;

  private double[][] rows(int n) {
    return IntStream.range(0, n).mapToObj(this::row).toArray(double[][]::new);
  }

  private static ColumnStatistics of(double[][] rows) {
    return new ColumnStatistics(rows[0].length).add(rows);
  }

  /** One column in exact arithmetic. */
  private record Exact(BigDecimal n, BigDecimal sum, BigDecimal squares) {
    static Exact of(double[] x) {
      BigDecimal sum = BigDecimal.ZERO;
      BigDecimal squares = BigDecimal.ZERO;
      for (double value : x) {
        BigDecimal exact = new BigDecimal(value);
        sum = sum.add(exact);
        squares = squares.add(exact.multiply(exact));
      }
      return new Exact(BigDecimal.valueOf(x.length), sum, squares);
    }

    static Exact[] ofColumns(double[][] rows) {
      return IntStream.range(0, rows[0].length)
          .mapToObj(j -> of(column(rows, j)))
          .toArray(Exact[]::new);
    }

    Exact plus(Exact other) {
      return new Exact(n.add(other.n), sum.add(other.sum), squares.add(other.squares));
    }

    BigDecimal mean() {
      return sum.divide(n, DIGITS);
    }

    BigDecimal var() {
      return squares.multiply(n).subtract(sum.pow(2)).divide(n.pow(2), DIGITS);
    }
  }

  /** The bounds of the class comment. */
  private static void assertWithinBounds(ColumnStatistics actual, long blocks, Exact... exact) {
    double log = Math.log(blocks) / Math.log(2);
    double[] means = actual.mean();
    double[] vars = actual.var();
    for (int j = 0; j < exact.length; j++) {
      double mean = means[j];
      double var = vars[j];
      double exactVar = exact[j].var().doubleValue();
      assertThat(actual.rows()).isEqualTo(exact[j].n.longValueExact());
      assertThat(ExactColumn.distance(var, exact[j].var()))
          .as("var of column %d, %s", j, actual)
          .isLessThanOrEqualTo((105 + 32 * log) * 0x1p-53 * exactVar);
      assertThat(ExactColumn.distance(mean, exact[j].mean()))
          .as("mean of column %d, %s", j, actual)
          .isLessThanOrEqualTo(Math.ulp(mean) / 2 + (19 + 3 * log) * 0x1p-53 * Math.sqrt(exactVar));
    }
  }

  /** The sizes of parts: that of part p, again and again until all rows are used up. */
  enum Sizes {
    ALL(p -> Integer.MAX_VALUE),
    ONE(p -> 1),
    TWO(p -> 2),
    NONE_ONE_TWO(p -> p % 3),
    UNEQUAL(p -> new int[] {700, 1, 0, 65, 2, 64, 3}[p % 7]),
    GROWING(p -> p);

    private final IntUnaryOperator size;

    Sizes(IntUnaryOperator size) {
      this.size = size;
    }

    List<double[][]> split(double[][] rows) {
      List<double[][]> parts = new ArrayList<>();
      int first = 0;
      for (int p = 0; first < rows.length; p++) {
        int end = (int) Math.min(rows.length, (long) first + size.applyAsInt(p));
        parts.add(Arrays.copyOfRange(rows, first, end));
        first = end;
      }
      return parts;
    }
  }

  private static long blocks(List<double[][]> parts) {
    return parts.stream().mapToLong(part -> (part.length + 63) / 64).sum();
  }

  @Nested
  class Digits {
    private static final int ROWS = 5000;

    private final double[][] rows = rows(ROWS);
    private final Exact[] exact = Exact.ofColumns(rows);

    @ParameterizedTest
    @EnumSource
    void of_parts_that_are_added_are_within_the_bounds(Sizes sizes) {
      List<double[][]> parts = sizes.split(rows);
      ColumnStatistics all = new ColumnStatistics(FEATURES);
      parts.forEach(all::add);

      assertWithinBounds(all, blocks(parts), exact);
    }

    /** Two orders that make chains of the calls, and a random tree. */
    @ParameterizedTest
    @EnumSource
    void of_parts_combined_in_any_order_are_within_the_bounds(Sizes sizes) {
      List<double[][]> parts = sizes.split(rows);
      List<ColumnStatistics> each =
          parts.stream().map(part -> new ColumnStatistics(FEATURES).add(part)).toList();
      BinaryOperator<ColumnStatistics> combine =
          (a, b) -> new ColumnStatistics(FEATURES).combine(a).combine(b);

      assertWithinBounds(each.stream().reduce(combine).orElseThrow(), blocks(parts), exact);
      assertWithinBounds(
          each.stream().reduce((a, b) -> combine.apply(b, a)).orElseThrow(), blocks(parts), exact);
      List<ColumnStatistics> heap = new ArrayList<>(each);
      while (heap.size() > 1) {
        Collections.shuffle(heap, random);
        heap.add(combine.apply(heap.remove(0), heap.remove(0)));
      }
      assertWithinBounds(heap.get(0), blocks(parts), exact);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 63, 64, 65})
    void of_few_rows_are_within_the_bounds(int n) {
      double[][] few = Arrays.copyOf(rows, n);

      assertWithinBounds(of(few), (n + 63) / 64, Exact.ofColumns(few));
    }

    /** A mean that is taken from the first row, not from a guess, is up to twice as far off. */
    @Test
    void of_a_block_with_one_row_that_differs_are_within_the_bounds() {
      double[][] block = new double[64][2000];
      for (int j = 0; j < 2000; j++) {
        double constant = random.nextDouble();
        for (int i = 1; i < 64; i++) {
          block[i][j] = constant;
        }
      }

      assertWithinBounds(of(block), 1, Exact.ofColumns(block));
    }

    /** A step from that row to all others rounds more than one from all others to that row. */
    @ParameterizedTest
    @ValueSource(ints = {3, 5, 7, 11})
    void of_one_row_that_differs_from_a_million_others_are_within_the_bounds(int n) {
      double[][] one = new double[1][500];
      double[][] others = TestData.rows(n, random.doubles(500).toArray());
      ColumnStatistics all = of(others);
      Exact[] exact = Exact.ofColumns(others);
      for (int i = 0; i < 18; i++) {
        all.combine(all);
        Arrays.setAll(exact, j -> exact[j].plus(exact[j]));
      }
      all.add(one);
      Arrays.setAll(exact, j -> exact[j].plus(Exact.of(new double[1])));

      assertWithinBounds(all, (1 << 18) + 1, exact);
    }

    @Test
    void of_constant_columns_are_exact() {
      for (Sizes sizes : Sizes.values()) {
        ColumnStatistics all = new ColumnStatistics(FEATURES);
        sizes.split(rows).forEach(all::add);

        assertThat(all.mean()[4]).isEqualTo(0.1);
        assertThat(all.mean()[5]).isEqualTo(1e12 + 0.1);
        assertThat(Arrays.copyOfRange(all.var(), 4, 6)).containsExactly(0, 0);
      }
    }

    /** Combined 56 times: the parts have 1, 1, 2, 3, 5, ... blocks, in the end over 2^39. */
    @Test
    void of_the_most_blocks_are_within_the_bounds() {
      double[][] some = Arrays.copyOf(rows, 64);
      double[][] others = Arrays.copyOfRange(rows, 64, 128);
      ColumnStatistics a = of(some);
      ColumnStatistics b = of(others);
      Exact[] exactA = Exact.ofColumns(some);
      Exact[] exactB = Exact.ofColumns(others);
      for (int i = 0; i < 28; i++) {
        a.combine(b);
        b.combine(a);
        for (int j = 0; j < FEATURES; j++) {
          exactA[j] = exactA[j].plus(exactB[j]);
          exactB[j] = exactB[j].plus(exactA[j]);
        }
      }

      assertThat(b.rows() / 64).isBetween(1L << 38, 1L << 40);
      assertWithinBounds(a, a.rows() / 64, exactA);
      assertWithinBounds(b, b.rows() / 64, exactB);
    }

    @Test
    void of_a_million_rows_added_one_by_one_are_within_the_bounds() {
      int n = 1_000_000;
      double[] x = new double[n];
      ColumnStatistics all = new ColumnStatistics(1);
      for (int i = 0; i < n; i++) {
        x[i] = 1e12 + random.nextGaussian();
        all.add(new double[][] {{x[i]}});
      }

      assertWithinBounds(all, n, Exact.of(x));
    }

    /** More columns than one strip of them. */
    @Test
    void of_a_column_do_not_depend_on_the_columns_beside_it() {
      double[][] wide = new double[100][1100];
      for (int i = 0; i < 100; i++) {
        for (int j = 0; j < 1100; j++) {
          wide[i][j] = rows[i][j % FEATURES];
        }
      }
      ColumnStatistics all = of(wide);
      double[] mean = all.mean();
      double[] var = all.var();

      for (int from = 0; from < 1100; from += FEATURES) {
        ColumnStatistics narrow = of(Arrays.copyOf(rows, 100));
        assertThat(Arrays.copyOfRange(mean, from, from + FEATURES)).isEqualTo(narrow.mean());
        assertThat(Arrays.copyOfRange(var, from, from + FEATURES)).isEqualTo(narrow.var());
      }
    }
  }

  /** {4, 4, 1} and {3, 0, -6}: means 3 and -1, squares 1 + 1 + 4 = 6 and 16 + 1 + 25 = 42. */
  @Nested
  class Object_of_three_rows {
    private final ColumnStatistics three = of(new double[][] {{4, 3}, {4, 0}, {1, -6}});

    @Test
    void has_the_mean_and_the_population_variance_worked_by_hand() {
      assertThat(three.features()).isEqualTo(2);
      assertThat(three.rows()).isEqualTo(3);
      assertThat(three.mean()).containsExactly(3, -1);
      assertThat(three.var()).containsExactly(2, 14);
      assertThat(three).hasToString("ColumnStatistics[features=2, rows=3]");
    }

    @Test
    void hands_out_new_arrays() {
      three.mean()[0] = 7;
      three.var()[0] = 7;

      assertThat(three.mean()[0]).isEqualTo(3);
      assertThat(three.var()[0]).isEqualTo(2);
    }

    @Test
    void does_not_keep_the_rows() {
      double[][] rows = {{5, 5}};
      three.add(rows);
      double[] mean = three.mean();
      rows[0][0] = 100;

      assertThat(three.mean()).isEqualTo(mean);
      assertThat(rows[0]).containsExactly(100, 5);
    }

    @Test
    void combines_with_another_one_that_stays_as_it_was() {
      ColumnStatistics other = of(new double[][] {{3, -1}});

      assertThat(three.combine(other)).isSameAs(three);
      assertThat(three.rows()).isEqualTo(4);
      assertThat(three.mean()).containsExactly(3, -1);
      assertThat(three.var()).containsExactly(1.5, 10.5);
      assertThat(other.rows()).isEqualTo(1);
      assertThat(other.mean()).containsExactly(3, -1);
      three.add(new double[][] {{0, 0}});
      assertThat(other.rows()).isEqualTo(1);
    }

    @Test
    void combines_with_itself() {
      three.combine(three);

      assertThat(three.rows()).isEqualTo(6);
      assertThat(three.mean()).containsExactly(3, -1);
      assertThat(three.var()).containsExactly(2, 14);
    }

    @Test
    void stays_as_it_was_when_no_rows_are_added() {
      assertThat(three.add(new double[0][])).isSameAs(three);
      three.combine(new ColumnStatistics(2));

      assertThat(three.rows()).isEqualTo(3);
      assertThat(three.var()).containsExactly(2, 14);
    }

    @Test
    void refuses_bad_rows_and_adds_nothing() {
      double[] good = {1, 2};
      assertThatNullPointerException()
          .isThrownBy(() -> three.add(null))
          .withMessage("rows is null");
      assertThatNullPointerException()
          .isThrownBy(() -> three.add(new double[][] {good, null}))
          .withMessage("rows[1] is null, expected a row of 2");
      assertRefused("rows[1] has 3 values, expected 2", good, new double[3]);
      assertRefused(
          "rows[1][0] is NaN, expected a finite value", good, new double[] {Double.NaN, 1});
      assertRefused(
          "rows[0][1] is -Infinity, expected a finite value",
          new double[] {0, Double.NEGATIVE_INFINITY},
          good);
      assertRefused(
          "sum of squares of column 1 (Infinity) must be finite: it overflows",
          good,
          new double[] {0, 1e155});
      assertThatNullPointerException()
          .isThrownBy(() -> three.combine(null))
          .withMessage("other is null");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> three.combine(new ColumnStatistics(3)))
          .withMessage("other has 3 features, expected 2");
      assertUnchanged();
    }

    private void assertRefused(String message, double[]... rows) {
      assertThatIllegalArgumentException().isThrownBy(() -> three.add(rows)).withMessage(message);
    }

    private void assertUnchanged() {
      assertThat(three.rows()).isEqualTo(3);
      assertThat(three.mean()).containsExactly(3, -1);
      assertThat(three.var()).containsExactly(2, 14);
    }
  }

  @Nested
  class Large_values {
    private final double[][] large = TestData.filled(100, 1, 1e300);

    @Test
    void that_are_constant_are_exact() {
      ColumnStatistics all = of(large).combine(of(large)).add(large);

      assertThat(all.mean()).containsExactly(1e300);
      assertThat(all.var()).containsExactly(0);
    }

    /** Each part is finite, and they are not of the same rank: only their sum overflows. */
    @Test
    void whose_squares_overflow_when_parts_are_combined_are_refused() {
      ColumnStatistics all = of(large);
      ColumnStatistics other = of(new double[][] {{0}});

      assertThatIllegalArgumentException()
          .isThrownBy(() -> all.combine(other))
          .withMessage("sum of squares of column 0 (Infinity) must be finite: it overflows");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> other.combine(all))
          .withMessage("sum of squares of column 0 (Infinity) must be finite: it overflows");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> all.add(new double[][] {{0}}))
          .withMessage("sum of squares of column 0 (Infinity) must be finite: it overflows");
      assertThat(all.rows()).isEqualTo(100);
      assertThat(all.mean()).containsExactly(1e300);
      assertThat(all.var()).containsExactly(0);
      assertThat(other.rows()).isEqualTo(1);
    }

    @Test
    void whose_mean_overflows_are_refused() {
      double most = Double.MAX_VALUE;
      ColumnStatistics all = of(new double[][] {{1, most}});

      assertThatIllegalArgumentException()
          .isThrownBy(() -> all.add(new double[][] {{1, -most}}))
          .withMessageStartingWith("mean of column 1 (")
          .withMessageEndingWith(") must be finite: it overflows");
      assertThat(all.rows()).isEqualTo(1);
    }

    /** Only the means show that the values are large: each part has a sum of squares of 0. */
    @Test
    void in_all_columns_are_refused_when_their_mean_overflows() {
      ColumnStatistics all = of(new double[][] {{Double.MAX_VALUE}});
      ColumnStatistics other = of(new double[][] {{-Double.MAX_VALUE}});

      assertThatIllegalArgumentException()
          .isThrownBy(() -> all.combine(other))
          .withMessageStartingWith("mean of column 0 (");
      assertThat(all.mean()).containsExactly(Double.MAX_VALUE);
    }

    /** The squares of 2 values are 2 * 5e307, of 64 they overflow. */
    @ParameterizedTest
    @CsvSource({"2, true", "64, false"})
    void are_taken_up_to_the_largest_sum_of_squares(int n, boolean fits) {
      double[][] rows = new double[n][1];
      for (int i = 0; i < n; i++) {
        rows[i][0] = i % 2 == 0 ? Math.sqrt(5e307) : -Math.sqrt(5e307);
      }
      ColumnStatistics all = new ColumnStatistics(1);

      if (fits) {
        assertThat(all.add(rows).var()[0]).isBetween(4.99e307, 5.01e307);
      } else {
        assertThatIllegalArgumentException().isThrownBy(() -> all.add(rows));
        assertThat(all.rows()).isZero();
      }
    }

    @Test
    void of_many_rows_are_refused_when_the_number_of_rows_overflows() {
      ColumnStatistics all = of(new double[][] {{1}});
      for (int i = 0; i < 62; i++) {
        all.combine(all);
      }

      assertThat(all.rows()).isEqualTo(1L << 62);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> all.combine(all))
          .withMessage("rows (4611686018427387904 + 4611686018427387904) must be < 2^63");
      assertThat(all.rows()).isEqualTo(1L << 62);
      assertThat(all.mean()).containsExactly(1);
    }

    @Test
    void of_one_row_too_many_are_refused() {
      ColumnStatistics power = of(new double[][] {{1}});
      ColumnStatistics all = of(new double[][] {{1}});
      for (int i = 1; i < 63; i++) {
        power.combine(power);
        all.combine(power);
      }

      assertThat(all.rows()).isEqualTo(Long.MAX_VALUE);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> all.add(new double[][] {{1}}))
          .withMessage("rows (9223372036854775807 + 1) must be < 2^63");
      assertThat(all.rows()).isEqualTo(Long.MAX_VALUE);
    }
  }

  @Test
  void there_is_a_feature_at_least() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ColumnStatistics(0))
        .withMessage("features (0) must be >= 1");
  }

  @Test
  void of_no_rows_there_is_neither_mean_nor_variance() {
    ColumnStatistics none = new ColumnStatistics(3).add(new double[0][]);

    assertThat(none.rows()).isZero();
    assertThatIllegalStateException()
        .isThrownBy(none::mean)
        .withMessage("the statistics have 0 rows, expected at least 1");
    assertThatIllegalStateException()
        .isThrownBy(none::var)
        .withMessage("the statistics have 0 rows, expected at least 1");
  }

  @Nested
  class A_stream {
    private static byte[] write(ColumnStatistics statistics) throws IOException {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
        out.writeObject(statistics);
      }
      return bytes.toByteArray();
    }

    private static ColumnStatistics read(byte[] bytes) throws Exception {
      try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
        return (ColumnStatistics) in.readObject();
      }
    }

    @Test
    void gives_statistics_that_go_on_with_the_same_bits() throws Exception {
      double[][] rows = rows(1000);
      ColumnStatistics all = of(rows);
      ColumnStatistics same = read(write(all));
      assertSameBits(same, all);
      all.add(rows).combine(all);
      same.add(rows).combine(same);
      assertSameBits(same, all);
    }

    private void assertSameBits(ColumnStatistics actual, ColumnStatistics expected) {
      assertThat(actual.rows()).isEqualTo(expected.rows());
      assertThat(actual.mean()).isEqualTo(expected.mean());
      assertThat(actual.var()).isEqualTo(expected.var());
    }

    @Test
    void of_no_rows_and_of_large_values_is_read() throws Exception {
      assertThat(read(write(new ColumnStatistics(2))).add(new double[2][2]).rows()).isEqualTo(2);
      ColumnStatistics large = read(write(of(new double[][] {{1e200}})));
      assertThat(large.mean()).containsExactly(1e200);
      assertThatIllegalArgumentException().isThrownBy(() -> large.add(new double[1][1]));
    }

    @Test
    void with_a_value_that_was_damaged_is_refused() throws Exception {
      byte[] damaged = with(write(of(new double[][] {{3}})), bytes(3.0), bytes(Double.NaN));

      assertThatThrownBy(() -> read(damaged))
          .isInstanceOf(InvalidObjectException.class)
          .hasMessage("parts[0].mu[0] is NaN, expected a finite value");
    }

    @Test
    void whose_parts_overflow_together_is_refused() throws Exception {
      ColumnStatistics two = of(new double[][] {{3}}).add(new double[][] {{5}});
      byte[] bytes = write(two.add(new double[][] {{7}})); // a part of mean 4 and one of mean 7
      byte[] far = with(bytes, bytes(4.0), bytes(-1e100));
      byte[] farther = with(far, bytes(7.0), bytes(1e160));
      read(far);
      assertThatThrownBy(() -> read(farther))
          .isInstanceOf(InvalidObjectException.class)
          .hasMessageEndingWith("must be finite: it overflows");
    }

    /** A stream that names the class itself, not the record that is written in its place. */
    @Test
    void that_goes_round_the_checks_is_refused() throws Exception {
      String name = ColumnStatistics.class.getName();
      byte[] forged = with(write(of(new double[][] {{3}})), bytes(name + "$Saved"), bytes(name));

      assertThatThrownBy(() -> read(forged))
          .isInstanceOf(InvalidObjectException.class)
          .hasMessage("statistics are read from the record that they write");
    }

    /** The same bytes, but for a value that occurs once. */
    private static byte[] with(byte[] bytes, byte[] value, byte[] other) {
      String text = new String(bytes, StandardCharsets.ISO_8859_1);
      String old = new String(value, StandardCharsets.ISO_8859_1);
      assertThat(text).containsOnlyOnce(old);
      return text.replace(old, new String(other, StandardCharsets.ISO_8859_1))
          .getBytes(StandardCharsets.ISO_8859_1);
    }

    private static byte[] bytes(double value) {
      return ByteBuffer.allocate(8).putDouble(value).array();
    }

    /** As a stream has it: after its length. */
    private static byte[] bytes(String name) {
      byte[] ascii = name.getBytes(StandardCharsets.US_ASCII);
      return ByteBuffer.allocate(2 + ascii.length)
          .putShort((short) ascii.length)
          .put(ascii)
          .array();
    }

    /** Other streams: what is read goes through this constructor. */
    @Test
    void of_parts_that_cannot_be_is_refused() {
      double[] ok = {1, 2};
      double[] zero = {0, 0};
      double[] nan = {0, Double.NaN};
      assertRefused("features (0) must be >= 1", 0, new Part[63]);
      assertRefused("parts has length 62, expected 63", 2, new Part[62]);
      assertRefused("parts[1].rows (1) must be >= 2", 2, at(1, new Part(1, ok, zero, zero)));
      assertRefused(
          "parts[0].mu has 1 value, expected 2", 2, at(0, new Part(1, new double[1], zero, zero)));
      assertRefused(
          "parts[0].mu[1] is NaN, expected a finite value", 2, at(0, new Part(1, nan, zero, zero)));
      assertRefused(
          "parts[0].rest[1] is NaN, expected a finite value", 2, at(0, new Part(1, ok, nan, zero)));
      assertRefused(
          "parts[0].sq[1] is NaN, expected a finite value", 2, at(0, new Part(1, ok, zero, nan)));
      assertRefused(
          "parts[0].rest[1] (0.1) must be so small that mu + rest rounds to mu",
          2,
          at(0, new Part(1, ok, new double[] {0, 0.1}, zero)));
      assertRefused(
          "parts[0].sq[1] (-1.0) must be >= 0",
          2,
          at(0, new Part(1, ok, zero, new double[] {0, -1})));
      Part[] many = at(0, new Part(Long.MAX_VALUE, ok, zero, zero));
      many[3] = new Part(8, ok, zero, zero);
      assertRefused("rows (9223372036854775807 + 8) must be < 2^63", 2, many);
    }

    private static Part[] at(int rank, Part part) {
      Part[] parts = new Part[63];
      parts[rank] = part;
      return parts;
    }

    private static void assertRefused(String message, int features, Part[] parts) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new ColumnStatistics.Saved(features, parts))
          .withMessage(message);
    }
  }

  @Nested
  class In_a_layer {
    private final double[][] x = TestData.input(random, 50, 3);
    private final ColumnStatistics all = of(x);

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void are_running_statistics_as_of_one_batch(boolean population) {
      BatchNormLayer trained =
          BatchNormLayer.builder(3).smoothingFactor(1).populationRunningVar(population).build();
      trained.forward(x);
      BatchNormLayer.Builder builder = BatchNormLayer.builder(3);
      BatchNormLayer before =
          builder.populationRunningVar(population).runningStatistics(all).build();
      BatchNormLayer after =
          BatchNormLayer.builder(3).runningStatistics(all).populationRunningVar(population).build();

      for (BatchNormLayer layer : List.of(before, after)) {
        assertThat(layer.batchesTracked()).isEqualTo(1);
        assertClose(layer.runningMean(), trained.runningMean(), 1e-15);
        assertClose(layer.runningVar(), trained.runningVar(), 1e-15);
      }
    }

    @Test
    void give_way_to_running_statistics_that_are_set_later() {
      double[] ones = {1, 1, 1};
      BatchNormLayer layer =
          BatchNormLayer.builder(3).runningStatistics(all).runningStatistics(ones, ones, 7).build();

      assertThat(layer.runningMean()).isEqualTo(ones);
      assertThat(layer.runningVar()).isEqualTo(ones);
      assertThat(layer.batchesTracked()).isEqualTo(7);
    }

    @Test
    void are_copied() {
      BatchNormLayer.Builder builder = BatchNormLayer.builder(3).runningStatistics(all);
      double[] mean = all.mean();
      all.add(new double[][] {{100, 100, 100}});

      assertThat(builder.build().runningMean()).isEqualTo(mean);
    }

    @Test
    void of_one_row_have_a_population_variance_only() {
      BatchNormLayer.Builder builder =
          BatchNormLayer.builder(3)
              .runningStatistics(new ColumnStatistics(3).add(new double[][] {x[0]}));

      assertThatIllegalStateException()
          .isThrownBy(builder::build)
          .withMessage(
              "the sample variance of 1 row does not exist: add rows, or use"
                  + " populationRunningVar(true)");
      assertThat(builder.populationRunningVar(true).build().runningVar()).containsOnly(0);
    }

    @Test
    void are_refused_without_rows_or_with_another_number_of_features() {
      BatchNormLayer.Builder builder = BatchNormLayer.builder(3);

      assertThatNullPointerException()
          .isThrownBy(() -> builder.runningStatistics(null))
          .withMessage("statistics is null");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> builder.runningStatistics(new ColumnStatistics(3)))
          .withMessage("statistics.rows() (0) must be >= 1");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> builder.runningStatistics(new ColumnStatistics(2)))
          .withMessage("statistics has 2 features, expected 3");
    }

    /** The recipe for precise statistics. */
    @Test
    void of_the_whole_data_set_replace_the_running_averages_of_a_trained_layer() {
      BatchNormLayer layer = new BatchNormLayer(3);
      layer.gamma()[1] = 0.5;
      for (int i = 0; i < 40; i += 10) {
        layer.forward(Arrays.copyOfRange(x, i, i + 10));
      }
      layer.restore(BatchNormLayer.builder(layer.state()).runningStatistics(all).build().state());

      double[] exactVar = new double[3];
      for (int j = 0; j < 3; j++) {
        exactVar[j] = Exact.of(column(x, j)).var().doubleValue() * 50 / 49;
      }
      assertClose(layer.runningVar(), exactVar, 1e-14);
      assertThat(layer.gamma()).containsExactly(1, 0.5, 1);
      double out = 0.5 * (x[7][1] - layer.runningMean()[1]) / Math.sqrt(exactVar[1] + 1e-5);
      assertThat(layer.infer(x)[7][1]).isCloseTo(out, within(1e-13));
    }

    /** The recipe for a mini-batch in parts. */
    @Nested
    class Built_from_the_parts_of_a_mini_batch {
      private final double[] gamma = {1.5, -0.7, 0};
      private final double[] beta = {0.3, 0, -2};
      private final double[][] dout = TestData.gaussian(random, x.length, 3);

      @ParameterizedTest(name = "that begin at {0}")
      @ValueSource(strings = {"0", "0 20", "0 5 12 20 21 30 31", "0 49", "0 20 20", "0 0 1"})
      void give_what_the_whole_mini_batch_gives(String starts) {
        int[] first = Arrays.stream(starts.split(" ")).mapToInt(Integer::parseInt).toArray();
        BatchNormLayer whole = BatchNormLayer.builder(3).gamma(gamma).beta(beta).build();
        double[][] out = whole.forward(x);
        BatchNormGradients gradients = whole.backward(dout);

        List<double[][]> xs = split(x, first);
        List<double[][]> douts = split(dout, first);
        ColumnStatistics statistics = new ColumnStatistics(3);
        xs.forEach(part -> statistics.combine(new ColumnStatistics(3).add(part)));
        BatchNormLayer layer =
            BatchNormLayer.builder(3)
                .gamma(gamma)
                .beta(beta)
                .populationRunningVar(true)
                .runningStatistics(statistics)
                .build();
        double[] dgamma = new double[3];
        double[] dbeta = new double[3];
        for (int p = 0; p < xs.size(); p++) {
          if (xs.get(p).length > 0) {
            BatchNormGradients ofPart = layer.inferBackward(xs.get(p), douts.get(p));
            Arrays.setAll(dgamma, j -> dgamma[j] + ofPart.dgamma()[j]);
            Arrays.setAll(dbeta, j -> dbeta[j] + ofPart.dbeta()[j]);
          }
        }
        List<double[]> outs = new ArrayList<>();
        List<double[]> dx = new ArrayList<>();
        for (int p = 0; p < xs.size(); p++) {
          if (xs.get(p).length > 0) {
            outs.addAll(List.of(layer.infer(xs.get(p))));
            double[][] centered =
                centered(xs.get(p), douts.get(p), statistics, layer.epsilon(), dgamma, dbeta);
            dx.addAll(List.of(layer.inferBackward(xs.get(p), centered).dx()));
          }
        }

        assertClose(outs.toArray(double[][]::new), out, 1e-13);
        assertClose(dx.toArray(double[][]::new), gradients.dx(), 1e-13);
        assertClose(dgamma, gradients.dgamma(), 1e-13);
        assertClose(dbeta, gradients.dbeta(), 1e-13);
      }

      private List<double[][]> split(double[][] all, int[] first) {
        return IntStream.range(0, first.length)
            .mapToObj(
                p ->
                    Arrays.copyOfRange(
                        all, first[p], p + 1 < first.length ? first[p + 1] : all.length))
            .toList();
      }

      /** {@code dout - dbeta / N - xhat * dgamma / N}. */
      private double[][] centered(
          double[][] part,
          double[][] dout,
          ColumnStatistics statistics,
          double epsilon,
          double[] dgamma,
          double[] dbeta) {
        double[] mean = statistics.mean();
        double[] var = statistics.var();
        double[][] centered = new double[part.length][3];
        for (int i = 0; i < part.length; i++) {
          for (int j = 0; j < 3; j++) {
            double xhat = (part[i][j] - mean[j]) / Math.sqrt(var[j] + epsilon);
            centered[i][j] = dout[i][j] - (dbeta[j] + xhat * dgamma[j]) / statistics.rows();
          }
        }
        return centered;
      }
    }
  }
}
