package io.github.batchnorm.benchmark;

import java.util.List;
import java.util.stream.Stream;

/**
 * The contenders by name.
 *
 * <ul>
 *   <li>{@code batchnorm}: the library, parallel, as most people call it, with new arrays for the
 *       results; {@code -serial}: parallel false; {@code -buffers}: with output buffers.
 *   <li>{@code hand-buffers}: fused loops written by hand, with output buffers; {@code hand}: with
 *       new arrays, in inference only.
 *   <li>{@code floor}: no batch norm, only what one must read and write; in training only.
 *   <li>{@code libtorch-1t}, {@code libtorch-2t}: libtorch with 1 and 2 threads, from tensors to
 *       tensors; {@code libtorch-copy-1t}, {@code libtorch-copy-2t}: from double[][] to double[][].
 * </ul>
 */
final class Contenders {
  /** The one whose results are not those of a batch norm. */
  static final String FLOOR = "floor";

  /** From tensors to tensors: the fastest of these is what the others are compared to. */
  static final List<String> LIBTORCH = List.of("libtorch-1t", "libtorch-2t");

  /** From double[][] to double[][]. */
  static final List<String> LIBTORCH_COPY = List.of("libtorch-copy-1t", "libtorch-copy-2t");

  private static final List<String> SHORT =
      List.of("batchnorm", "batchnorm-buffers", "hand-buffers");

  private static final List<String> TRAINING =
      List.of(
          "batchnorm",
          "batchnorm-buffers",
          "batchnorm-serial",
          "batchnorm-serial-buffers",
          "hand-buffers",
          FLOOR);

  private static final List<String> INFERENCE =
      List.of("batchnorm", "batchnorm-buffers", "hand", "hand-buffers");

  private Contenders() {}

  /** The names to measure in a short run: libtorch too, if it is on the class path. */
  static List<String> ofShortRun() {
    return withLibtorch(SHORT);
  }

  /** The names to measure in training. */
  static List<String> ofTraining() {
    return withLibtorch(TRAINING);
  }

  /** The names to measure in inference. */
  static List<String> ofInference() {
    return withLibtorch(INFERENCE);
  }

  private static List<String> withLibtorch(List<String> names) {
    return hasLibtorch()
        ? Stream.of(names, LIBTORCH, LIBTORCH_COPY).flatMap(List::stream).toList()
        : names;
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
   * Makes a contender in training.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  static Contender make(String name) {
    if (name.startsWith("libtorch")) {
      return peer(name, "", Contender.class);
    }
    if (!TRAINING.contains(name)) {
      throw unknown(name);
    }
    return switch (name) {
      case "hand-buffers" -> new HandWritten();
      case FLOOR -> new Floor();
      default -> new Ours(name);
    };
  }

  /**
   * Makes a contender in inference.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  static InferenceContender makeInference(String name) {
    if (name.startsWith("libtorch")) {
      return peer(name, "Inference", InferenceContender.class);
    }
    if (!INFERENCE.contains(name)) {
      throw unknown(name);
    }
    return name.startsWith("hand") ? new HandWrittenInference(name) : new OursInference(name);
  }

  /** Found by name: without profile peers the class is not compiled. */
  private static <C> C peer(String name, String suffix, Class<C> type) {
    if (!LIBTORCH.contains(name) && !LIBTORCH_COPY.contains(name)) {
      throw unknown(name);
    }
    String className = (LIBTORCH.contains(name) ? "Libtorch" : "LibtorchCopy") + suffix;
    int threads = name.endsWith("-2t") ? 2 : 1;
    try {
      return type.cast(
          Class.forName(Contenders.class.getPackageName() + "." + className)
              .getDeclaredConstructor(int.class)
              .newInstance(threads));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("libtorch needs profile peers: mvn -Ppeers", e);
    }
  }

  private static IllegalArgumentException unknown(String name) {
    return new IllegalArgumentException("no contender " + name + ", see class Contenders");
  }
}
