package io.gatun.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.kernel.generated.gatun_h;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The generated sources belong to the headers, are whole, and were not edited. */
final class GeneratedSourcesTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Path GENERATED = ROOT.resolve("bindings/src/generated");
    private static final Path INCLUDE = ROOT.resolve("native/include");
    private static final String RERUN = "run scripts/regenerate-bindings";

    @Test
    void everyChecksumHolds() throws Exception {
        Set<Path> listed = new TreeSet<>();
        for (String line : Files.readAllLines(GENERATED.resolve("sha256"))) {
            String name = line.substring(66);
            Path file = locate(name);
            assertThat(sha256(file)).as("%s changed: %s", name, RERUN).isEqualTo(line.substring(0, 64));
            listed.add(file);
        }
        try (Stream<Path> sources = Files.walk(GENERATED.resolve("java"))) {
            assertThat(sources.filter(Files::isRegularFile)).as(RERUN).isSubsetOf(listed);
        }
    }

    @Test
    void everyFunctionOfTheHeaderIsBound() throws Exception {
        assertThat(Symbols.bound().filter(name -> !isGgml(name)))
                .as(RERUN)
                .containsExactlyElementsOf(inHeader("gatun.h", "\\b(gt_[a-z0-9_]+)\\("));
    }

    @Test
    void everyFunctionOfGgmlThatIsExportedIsBound() throws Exception {
        assertThat(Symbols.bound().filter(GeneratedSourcesTest::isGgml))
                .as(RERUN)
                .containsExactlyElementsOf(inHeader("gatun_ggml.h", "#define \\w+ (gt_\\w+)"));
    }

    @Test
    void everyConstantOfTheHeaderIsBound() throws Exception {
        Set<String> bound = Arrays.stream(gatun_h.class.getDeclaredMethods())
                .map(Method::getName)
                .filter(name -> name.startsWith("GT_"))
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(bound)
                .as(RERUN)
                .containsExactlyElementsOf(inHeader("gatun.h", "(?m)^(?:#define |    )(GT_[A-Z0-9_]+)"));
    }

    @Test
    void everyStructOfTheHeaderIsBound() throws Exception {
        Set<String> structs = inHeader("gatun.h", "typedef struct (gt_\\w+) \\{");
        assertThat(structs)
                .isNotEmpty()
                .allSatisfy(name -> assertThat(GENERATED.resolve("java/io/gatun/kernel/generated/" + name + ".java"))
                        .exists());
    }

    @Test
    void theLibraryHasEveryBoundFunction() {
        Kernel.load();
        assertThat(Symbols.missing()).isEmpty();
    }

    private static boolean isGgml(String name) {
        return name.startsWith("gt_gguf_") || (name.startsWith("gt_ggml_") && !name.equals("gt_ggml_version"));
    }

    private static Set<String> inHeader(String header, String pattern) throws IOException {
        return Pattern.compile(pattern)
                .matcher(Files.readString(INCLUDE.resolve(header)))
                .results()
                .map((MatchResult match) -> match.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Path locate(String name) throws IOException {
        if (name.endsWith(".java")) {
            return GENERATED.resolve("java").resolve(name);
        }
        if (name.startsWith("gatun")) {
            return INCLUDE.resolve(name);
        }
        // The folder that the library was built from.
        String setting = "GATUN_GGML_DIR:PATH=";
        return Files.readAllLines(ROOT.resolve("native/build/release/CMakeCache.txt")).stream()
                .filter(line -> line.startsWith(setting))
                .map(line -> Path.of(line.substring(setting.length()))
                        .resolve("include")
                        .resolve(name))
                .findFirst()
                .orElseThrow();
    }

    private static String sha256(Path file) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    }
}
