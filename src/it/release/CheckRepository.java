import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPath;
import javax.xml.xpath.XPathFactory;
import org.w3c.dom.Document;

/**
 * Checks that a folder, to which one version was deployed, has what Maven Central asks for (<a
 * href="https://central.sonatype.org/publish/requirements/">Requirements</a>), and that the bill of
 * materials names no component: {@code java CheckRepository.java FOLDER}. Who signed is for gpg to
 * say.
 */
final class CheckRepository {
  private static final Path ARTIFACT = Path.of("io/github/batchnorm/batchnorm");
  private static final List<String> FILES =
      List.of(".pom", ".jar", "-sources.jar", "-javadoc.jar", "-cyclonedx.xml");
  private static final Map<String, String> CHECKSUMS = Map.of(".md5", "MD5", ".sha1", "SHA-1");
  private static final List<String> ELEMENTS =
      List.of(
          "groupId",
          "artifactId",
          "version",
          "name",
          "description",
          "url",
          "licenses/license/name",
          "licenses/license/url",
          "developers/developer/name",
          "scm/url",
          "scm/connection",
          "scm/developerConnection");

  private static final XPath PATH = XPathFactory.newInstance().newXPath();

  private final List<String> faults = new ArrayList<>();

  private CheckRepository() {}

  public static void main(String[] args) throws Exception {
    CheckRepository check = new CheckRepository();
    check.check(Path.of(args[0]).resolve(ARTIFACT));
    check.faults.forEach(System.err::println);
    System.exit(check.faults.isEmpty() ? 0 : 1);
  }

  private void check(Path artifact) throws Exception {
    Path folder;
    try (Stream<Path> versions = Files.list(artifact)) {
      folder = versions.filter(Files::isDirectory).findFirst().orElseThrow();
    }
    String version = folder.getFileName().toString();
    String stem = "batchnorm-" + version;
    for (String file : FILES) {
      checkFile(folder.resolve(stem + file));
    }
    if (faults.isEmpty()) {
      checkPom(folder.resolve(stem + ".pom"), version);
      checkBom(folder.resolve(stem + "-cyclonedx.xml"));
    }
    if (faults.isEmpty()) {
      System.out.printf("%-11s %s%n", "deployed", "as " + stem + ": " + String.join(" ", FILES));
      System.out.printf(
          "%-11s %s%n", "each", "with its signature and its checksums, which are correct");
      System.out.printf(
          "%-11s %s%n", "pom", "has all that Maven Central asks for, and no dependency");
      System.out.printf("%-11s %s%n", "bill", "of materials: no component but the library");
    }
  }

  /** The file, its signature, and its checksums. */
  private void checkFile(Path file) throws Exception {
    for (Path signed : List.of(file, Path.of(file + ".asc"))) {
      require(Files.exists(signed) && Files.size(signed) > 0, signed + " is missing or empty");
    }
    if (!Files.exists(file)) {
      return;
    }
    for (Map.Entry<String, String> checksum : CHECKSUMS.entrySet()) {
      Path sum = Path.of(file + checksum.getKey());
      byte[] digest =
          MessageDigest.getInstance(checksum.getValue()).digest(Files.readAllBytes(file));
      require(
          Files.exists(sum)
              && Files.readString(sum).strip().equals(HexFormat.of().formatHex(digest)),
          sum + " is missing or wrong");
    }
  }

  private void checkPom(Path file, String version) throws Exception {
    Document pom = parse(file);
    for (String element : ELEMENTS) {
      String value = PATH.evaluate("/project/" + element, pom).strip();
      require(!value.isEmpty() && !value.contains("${"), "pom: " + element + " is '" + value + "'");
    }
    require(PATH.evaluate("/project/version", pom).equals(version), "pom: another version");
    require(!version.endsWith("-SNAPSHOT"), "version " + version + " is no release");
    String dependencies = PATH.evaluate("count(/project/dependencies/dependency)", pom);
    require(dependencies.equals("0"), "pom: " + dependencies + " dependencies");
  }

  private void checkBom(Path file) throws Exception {
    Document bom = parse(file);
    String of = PATH.evaluate("/bom/metadata/component/purl", bom);
    require(
        of.startsWith("pkg:maven/io.github.batchnorm/batchnorm@"), file + " is of '" + of + "'");
    String components = PATH.evaluate("count(/bom/components/component)", bom);
    require(components.equals("0"), file + " names " + components + " components");
  }

  private static Document parse(Path file) throws Exception {
    return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file.toFile());
  }

  private void require(boolean holds, String fault) {
    if (!holds) {
      faults.add(fault);
    }
  }
}
