package io.github.batchnorm.benchmark;

import java.lang.reflect.Constructor;
import java.util.List;
import java.util.stream.Stream;

/**
 * The contenders by name.
 *
 * <ul>
 *   <li>{@code batchnorm}: the library, parallel, with output buffers; {@code -serial}: parallel
 *       false; {@code -fresh}: no output buffers.
 *   <li>{@code naive}: Kratzert's post, line by line, a fresh array per node.
 *   <li>{@code floor}: no batch norm, only what one must read and write.
 *   <li>{@code libtorch-1t}, {@code libtorch-2t}: libtorch with 1 and 2 threads, from tensors to
 *       tensors; {@code libtorch-copy-1t}, {@code libtorch-copy-2t}: from double[][] to double[][].
 * </ul>
 */
final class Contenders {
  /** The one whose results are not those of a batch norm. */
  static final String FLOOR = "floor";

  /** The library's modes, then the naive port and the floor. */
  private static final List<String> OWN =
      List.of(
          "batchnorm",
          "batchnorm-fresh",
          "batchnorm-serial",
          "batchnorm-serial-fresh",
          "naive",
          FLOOR);

  private static final List<String> OWN_SHORT = List.of("batchnorm", "naive", FLOOR);

  /** From tensors to tensors: the fastest of these is what the others are compared to. */
  static final List<String> LIBTORCH = List.of("libtorch-1t", "libtorch-2t");

  /** From double[][] to double[][]. */
  static final List<String> LIBTORCH_COPY = List.of("libtorch-copy-1t", "libtorch-copy-2t");

  private Contenders() {}

  /** The names to measure in a short or a whole run: libtorch too, if it is on the class path. */
  static List<String> names(boolean shortRun) {
    List<String> own = shortRun ? OWN_SHORT : OWN;
    return hasLibtorch()
        ? Stream.of(own, LIBTORCH, LIBTORCH_COPY).flatMap(List::stream).toList()
        : own;
  }

  /** Whether this is a build with profile peers. Asks for libtorch, as our classes may be stale. */
  static boolean hasLibtorch() {
    try {
      Class.forName("org.bytedeco.pytorch.Tensor", false, Contenders.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  /**
   * Makes a contender.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  static Contender make(String name) {
    int threads = name.endsWith("-2t") ? 2 : 1;
    if (LIBTORCH.contains(name)) {
      return peer("Libtorch", threads);
    }
    if (LIBTORCH_COPY.contains(name)) {
      return peer("LibtorchCopy", threads);
    }
    if (!OWN.contains(name)) {
      throw new IllegalArgumentException("no contender " + name + ", see class Contenders");
    }
    return switch (name) {
      case "naive" -> new NaiveKratzert();
      case FLOOR -> new Floor();
      default -> new Ours(name);
    };
  }

  /** Found by name: without profile peers the class is not compiled. */
  private static Contender peer(String className, int threads) {
    try {
      Constructor<?> constructor =
          Class.forName(Contenders.class.getPackageName() + "." + className)
              .getDeclaredConstructor(int.class);
      return (Contender) constructor.newInstance(threads);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("libtorch needs profile peers: mvn -Ppeers", e);
    }
  }
}
