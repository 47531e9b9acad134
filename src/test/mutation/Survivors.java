import static java.util.stream.Collectors.groupingBy;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * Compares the mutants that survived with a table of them, method by method, and fails if they
 * differ: {@code java Survivors.java target/pit-reports/mutations.xml README.md}.
 */
final class Survivors {
  /** A row of the table: the method in backquotes, then how many survive, such as 2 or 0-2. */
  private static final Pattern ROW =
      Pattern.compile("^\\| `([^`]+)` \\| (\\d+)(?:-(\\d+))? \\|", Pattern.MULTILINE);

  private record Mutant(String method, String line, String description) {
    static Mutant of(Element mutation) {
      String type = text(mutation, "mutatedClass").replaceFirst(".*\\.", "").replace('$', '.');
      // a mutant in a lambda is one of the method around it
      String method = text(mutation, "mutatedMethod").replaceFirst("lambda\\$(.*)\\$\\d+", "$1");
      return new Mutant(
          type + "." + method, text(mutation, "lineNumber"), text(mutation, "description"));
    }

    private static String text(Element mutation, String tag) {
      return mutation.getElementsByTagName(tag).item(0).getTextContent();
    }
  }

  private record Count(int least, int most) {}

  private Survivors() {}

  public static void main(String[] args)
      throws IOException, ParserConfigurationException, SAXException {
    Map<String, List<Mutant>> survived = survived(new File(args[0]));
    Map<String, Count> listed = listed(Path.of(args[1]));
    boolean same = true;
    TreeSet<String> methods = new TreeSet<>(survived.keySet());
    methods.addAll(listed.keySet());
    for (String method : methods) {
      List<Mutant> mutants = survived.getOrDefault(method, List.of());
      Count count = listed.getOrDefault(method, new Count(0, 0));
      if (mutants.size() < count.least() || mutants.size() > count.most()) {
        same = false;
        System.out.printf(
            "| `%s` | %d | listed: %d to %d%n",
            method, mutants.size(), count.least(), count.most());
        mutants.forEach(m -> System.out.printf("  line %s: %s%n", m.line(), m.description()));
      }
    }
    System.out.println(same ? "as listed in " + args[1] : "mend the tests, or " + args[1]);
    System.exit(same ? 0 : 1);
  }

  private static Map<String, List<Mutant>> survived(File report)
      throws IOException, ParserConfigurationException, SAXException {
    NodeList mutations =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(report)
            .getElementsByTagName("mutation");
    List<Mutant> survived = new ArrayList<>();
    for (int i = 0; i < mutations.getLength(); i++) {
      Element mutation = (Element) mutations.item(i);
      if (mutation.getAttribute("detected").equals("false")) {
        survived.add(Mutant.of(mutation));
      }
    }
    System.out.printf("%d of %d mutants survive%n", survived.size(), mutations.getLength());
    return survived.stream().collect(groupingBy(Mutant::method));
  }

  private static Map<String, Count> listed(Path table) throws IOException {
    Map<String, Count> listed = new TreeMap<>();
    ROW.matcher(Files.readString(table))
        .results()
        .forEach(
            row -> {
              int least = Integer.parseInt(row.group(2));
              int most = row.group(3) == null ? least : Integer.parseInt(row.group(3));
              listed.put(row.group(1), new Count(least, most));
            });
    return listed;
  }
}
