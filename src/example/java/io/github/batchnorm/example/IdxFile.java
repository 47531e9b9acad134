package io.github.batchnorm.example;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * One idx file of MNIST, plain or gzip: a magic number, the sizes, then a byte for each value.
 *
 * <pre>{@code
 * images   00000803  count  28  28  pixels 0 to 255, row by row
 * labels   00000801  count          digits 0 to 9
 * }</pre>
 *
 * <p>The numbers are 32-bit integers, the highest byte first. Whatever differs from this is refused
 * with a message that names the file.
 */
final class IdxFile implements AutoCloseable {
  private static final int IMAGES_MAGIC = 0x803;
  private static final int LABELS_MAGIC = 0x801;
  private static final int MAX_COUNT = 1_000_000; // a larger one is rather a wrong header
  private static final int BYTES_OF_IMAGE =
      Digits.PIXELS + 24; // with what the JVM adds to an array

  private final String name;
  private final InputStream source;

  IdxFile(String name, InputStream source) {
    this.name = name;
    this.source = source;
  }

  /**
   * Reads a file of images.
   *
   * @return the grey values, shape (count, 784)
   */
  byte[][] images() throws DataException {
    return read(
        in -> {
          check("magic number", in.readInt(), IMAGES_MAGIC, " (images of bytes)");
          int count = checkCount(in.readInt());
          check("number of rows", in.readInt(), Digits.SIDE, "");
          check("number of columns", in.readInt(), Digits.SIDE, "");
          checkRoom(count);
          byte[][] images = new byte[count][];
          for (int i = 0; i < count; i++) {
            images[i] = in.readNBytes(Digits.PIXELS);
            if (images[i].length < Digits.PIXELS) {
              throw new DataException(
                  name + " is truncated: it ends in image " + (i + 1) + " of " + count);
            }
          }
          return images;
        });
  }

  /**
   * Reads a file of labels.
   *
   * @param images how many there must be
   * @return the digits, shape (images)
   */
  byte[] labels(int images) throws DataException {
    return read(
        in -> {
          check("magic number", in.readInt(), LABELS_MAGIC, " (labels of bytes)");
          int count = checkCount(in.readInt());
          if (count != images) {
            throw new DataException(
                name + " has " + count + " labels, expected " + images + ", one for each image");
          }
          byte[] labels = in.readNBytes(count);
          if (labels.length < count) {
            throw new DataException(
                name + " is truncated: it ends after label " + labels.length + " of " + count);
          }
          for (int i = 0; i < count; i++) {
            checkLabel(i, labels[i] & 0xFF);
          }
          return labels;
        });
  }

  private <T> T read(Body<T> body) throws DataException {
    try {
      DataInputStream in = new DataInputStream(unpacked());
      T values = body.read(in);
      if (in.read() != -1) {
        throw new DataException(name + " goes on after its last value");
      }
      return values;
    } catch (EOFException e) { // in the header, or of the gzip stream
      throw new DataException(name + " is truncated");
    } catch (ZipException e) {
      throw new DataException(name + " is not a valid gzip file: " + e.getMessage());
    } catch (IOException e) {
      throw new DataException(name + " cannot be read: " + e.getMessage());
    }
  }

  /** Goes by the first bytes, not by the name: browsers unpack .gz files and keep the ending. */
  private InputStream unpacked() throws IOException {
    BufferedInputStream in = new BufferedInputStream(source, 1 << 16);
    in.mark(2);
    boolean gzip = in.read() == 0x1F && in.read() == 0x8B;
    in.reset();
    return gzip ? new BufferedInputStream(new GZIPInputStream(in), 1 << 16) : in;
  }

  private void check(String what, int value, int expected, String meaning) throws DataException {
    if (value != expected) {
      throw new DataException(
          "%s: %s (%s) must be %s%s"
              .formatted(name, what, number(value), number(expected), meaning));
    }
  }

  /** Magic numbers are known by their hexadecimal form, sizes are not. */
  private static String number(int value) {
    return value >= 0 && value < 0x800 ? "" + value : "0x%08X".formatted(value);
  }

  private int checkCount(int count) throws DataException {
    if (count < 1 || count > MAX_COUNT) {
      throw new DataException(
          "%s: count (%d) must be from 1 to %d".formatted(name, count, MAX_COUNT));
    }
    return count;
  }

  /** A small gzip file may hold more than the memory does. There are two files of images. */
  private void checkRoom(int count) throws DataException {
    long megabytes = (long) count * BYTES_OF_IMAGE >> 20;
    long room = Runtime.getRuntime().maxMemory() / 3 >> 20;
    if (megabytes > room) {
      throw new DataException(
          "%s: %d images take %d MB, and there is room for %d MB; more with MAVEN_OPTS=-Xmx%dm"
              .formatted(name, count, megabytes, room, 3 * megabytes + 64));
    }
  }

  private void checkLabel(int i, int label) throws DataException {
    if (label > 9) {
      throw new DataException("%s: label[%d] (%d) must be from 0 to 9".formatted(name, i, label));
    }
  }

  @Override
  public void close() throws DataException {
    try {
      source.close();
    } catch (IOException e) {
      throw new DataException(name + " cannot be closed: " + e.getMessage());
    }
  }

  private interface Body<T> {
    T read(DataInputStream in) throws IOException, DataException;
  }
}
