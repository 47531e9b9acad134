package consumer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.batchnorm.BatchNormState;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;

/** The library's jar itself, and where these tests find it. */
class JarTest {
  /** Else a run on the module path, or without {@code opens}, would prove nothing. */
  @Test
  void is_on_the_path_of_this_run() {
    boolean onModulePath = System.getProperty("path").equals("module");
    Module library = BatchNormState.class.getModule();
    assertEquals(onModulePath ? "io.github.batchnorm" : null, library.getName());
    assertEquals(onModulePath ? "consumer" : null, JarTest.class.getModule().getName());
    assertEquals(!onModulePath, library.isOpen("io.github.batchnorm"));
  }

  @Test
  void names_itself_and_carries_its_licence() throws IOException, URISyntaxException {
    try (JarFile jar = new JarFile(file())) {
      Attributes attributes = jar.getManifest().getMainAttributes();
      assertEquals("batchnorm", attributes.getValue(Attributes.Name.IMPLEMENTATION_TITLE));
      assertNotNull(attributes.getValue(Attributes.Name.IMPLEMENTATION_VERSION));
      assertNotNull(jar.getEntry("META-INF/LICENSE"));
    }
  }

  @Test
  void is_small() throws URISyntaxException {
    long bytes = file().length();
    assertTrue(bytes < 90_000, () -> bytes + " bytes");
  }

  private static File file() throws URISyntaxException {
    File file =
        new File(BatchNormState.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    assertFalse(file.isDirectory(), file::toString);
    return file;
  }
}
