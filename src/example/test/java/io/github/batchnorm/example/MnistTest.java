package io.github.batchnorm.example;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MnistTest {
  @TempDir private Path folder;

  /** The names that the MNIST site uses, and those of the archive on Kaggle. */
  @ParameterizedTest
  @CsvSource({"-, ''", "-, .gz", "., ''", "., .gz"})
  void the_files_of_a_user_are_found(String mark, String ending) throws Exception {
    writeAll(mark, ending);
    Mnist digits = Mnist.from(folder);

    assertThat(digits.train().count()).isEqualTo(60);
    assertThat(digits.test().count()).isEqualTo(3);
    assertThat(digits.train().labels()).startsWith(0, 1, 2).endsWith(7, 8, 9);
    assertThat(digits.test().pixels()[2]).containsOnly(2);
  }

  @Test
  void a_folder_with_the_name_of_a_file_is_passed_over() throws Exception {
    writeAll(".", "");
    for (String name : new String[] {"train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
      Files.createDirectory(folder.resolve(name)); // as in Kaggle's archive
    }

    assertThat(Mnist.from(folder).train().count()).isEqualTo(60);
  }

  @Test
  void a_missing_file_is_named() throws IOException {
    writeAll("-", "");
    Files.delete(folder.resolve("t10k-labels-idx1-ubyte"));

    assertThatThrownBy(() -> Mnist.from(folder))
        .isInstanceOf(DataException.class)
        .hasMessage(
            folder
                + " has neither t10k-labels-idx1-ubyte nor t10k-labels.idx1-ubyte, plain or .gz");
  }

  @Test
  void fewer_images_than_a_mini_batch_are_refused() throws IOException {
    writeAll("-", "");
    write("train-images-idx3-ubyte", 0x803, 59);
    write("train-labels-idx1-ubyte", 0x801, 59);

    assertThatThrownBy(() -> Mnist.from(folder))
        .hasMessage("number of training images (59) must be at least 60, one mini-batch");
  }

  /**
   * A gzip file of 0.8 MB can hold 784 MB of zeros: what its header says is enough to refuse it.
   */
  @Test
  void more_images_than_the_memory_holds_are_refused_before_they_are_read()
      throws IOException, InterruptedException {
    writeAll("-", ".gz");
    Path images = folder.resolve("train-images-idx3-ubyte.gz");
    try (DataOutputStream out = new DataOutputStream(gzip(Files.newOutputStream(images)))) {
      writeHeader(out, 0x803, 1_000_000);
    }
    Process program =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-cp",
                System.getProperty("java.class.path"),
                Figure1.class.getName(),
                "--data",
                folder.toString())
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .start();
    String said = new String(program.getInputStream().readAllBytes(), UTF_8);

    assertThat(program.waitFor()).isEqualTo(2);
    assertThat(said)
        .startsWith(images + ": 1000000 images take 770 MB, and there is room for ")
        .endsWith(" MB; more with MAVEN_OPTS=-Xmx2374m" + System.lineSeparator());
  }

  private void writeAll(String mark, String ending) throws IOException {
    write("train-images" + mark + "idx3-ubyte" + ending, 0x803, 60);
    write("train-labels" + mark + "idx1-ubyte" + ending, 0x801, 60);
    write("t10k-images" + mark + "idx3-ubyte" + ending, 0x803, 3);
    write("t10k-labels" + mark + "idx1-ubyte" + ending, 0x801, 3);
  }

  /** Image i is of grey i; label i is the last digit of i. */
  private void write(String name, int magic, int count) throws IOException {
    boolean images = magic == 0x803;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(name.endsWith(".gz") ? gzip(bytes) : bytes)) {
      writeHeader(out, magic, count);
      for (int i = 0; i < count; i++) {
        for (int k = 0; k < (images ? 28 * 28 : 1); k++) {
          out.writeByte(images ? i : i % 10);
        }
      }
    }
    Files.write(folder.resolve(name), bytes.toByteArray());
  }

  private static void writeHeader(DataOutputStream out, int magic, int count) throws IOException {
    out.writeInt(magic);
    out.writeInt(count);
    if (magic == 0x803) {
      out.writeInt(28);
      out.writeInt(28);
    }
  }

  private static OutputStream gzip(OutputStream out) throws IOException {
    return new GZIPOutputStream(out);
  }
}
