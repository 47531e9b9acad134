package io.github.batchnorm.example;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * The MNIST digits: images to train on and others to test on.
 *
 * @param train the digits to train on
 * @param test the digits to test on
 */
record Mnist(Digits train, Digits test) {

  /** Loads the 8,000 and 2,000 digits that come with this program. */
  static Mnist bundled() throws DataException {
    return load(name -> new IdxFile(name, openBundled(name + ".gz")));
  }

  /**
   * Loads the four files that a user has.
   *
   * @param folder holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte
   *     and t10k-labels-idx1-ubyte, each of them plain or with the ending .gz; or with Kaggle's dot
   *     before "idx", as in train-images.idx3-ubyte
   * @throws DataException if one of them is missing, truncated or wrong
   */
  static Mnist from(Path folder) throws DataException {
    if (!Files.isDirectory(folder)) {
      throw new DataException("--data (" + folder + ") must be an existing folder");
    }
    return load(name -> open(folder, name));
  }

  private static Mnist load(Opener opener) throws DataException {
    Mnist digits = new Mnist(load(opener, "train"), load(opener, "t10k"));
    int count = digits.train.count();
    if (count < Training.BATCH_SIZE) {
      throw new DataException(
          "number of training images (%d) must be at least %d, one mini-batch"
              .formatted(count, Training.BATCH_SIZE));
    }
    return digits;
  }

  private static Digits load(Opener opener, String part) throws DataException {
    byte[][] images;
    try (IdxFile file = opener.open(part + "-images-idx3-ubyte")) {
      images = file.images();
    }
    try (IdxFile file = opener.open(part + "-labels-idx1-ubyte")) {
      return new Digits(images, file.labels(images.length));
    }
  }

  private static InputStream openBundled(String name) {
    return Mnist.class.getResourceAsStream("mnist-10k/" + name);
  }

  private static IdxFile open(Path folder, String name) throws DataException {
    String kaggle = name.replace("-idx", ".idx");
    Path file =
        Stream.of(name, name + ".gz", kaggle, kaggle + ".gz")
            .map(folder::resolve)
            .filter(Files::isRegularFile) // Kaggle's archive has folders of the first name too
            .findFirst()
            .orElseThrow(
                () ->
                    new DataException(
                        "%s has neither %s nor %s, plain or .gz".formatted(folder, name, kaggle)));
    try {
      return new IdxFile(file.toString(), Files.newInputStream(file));
    } catch (IOException e) {
      throw DataException.unreadable(file.toString(), e);
    }
  }

  private interface Opener {
    IdxFile open(String name) throws DataException;
  }
}
