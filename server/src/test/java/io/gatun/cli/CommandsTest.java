package io.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.batch.SmallModel;
import io.gatun.kernel.InstructionSet;
import io.gatun.kernel.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class CommandsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private static Path folder = Path.of("");

    private static String model = "";

    @BeforeAll
    static void convert() throws Exception {
        model = SmallModel.convert("distilbert-small", folder).toString();
    }

    @Test
    void predictAnswersItsArgumentsInOrder() throws Exception {
        Program.Result one = Program.run("predict", "--model", model, "the good");
        Program.Result both = Program.run("predict", "--model", model, "naïve 日本", "the good");
        assertThat(both.status()).isZero();
        assertThat(both.errors()).isEmpty();
        assertThat(both.lines()).hasSize(2);
        assertThat(both.lines().get(1)).isEqualTo(one.output().strip());
        JsonNode answer = JSON.readTree(one.output());
        assertThat(answer.get(0).get("score").doubleValue())
                .isGreaterThanOrEqualTo(answer.get(1).get("score").doubleValue());
        assertThat(answer.get(0).get("label").isTextual()).isTrue();
    }

    @Test
    void predictAnswersEveryLineOfItsInput() throws Exception {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            texts.add("the good ".repeat(i % 7));
        }
        Program.Result result = Program.run(Map.of(), String.join("\n", texts), "predict", "--model", model, "-");
        assertThat(result.errors()).isEmpty();
        assertThat(result.status()).isZero();
        assertThat(result.lines()).hasSize(1000);
        for (int i = 7; i < 1000; i++) {
            assertThat(score(result.lines().get(i)))
                    .isCloseTo(score(result.lines().get(i % 7)), offset(1e-5));
        }
    }

    @Test
    void predictNamesTheLineThatIsTooLong() throws Exception {
        String input = "short\n" + "the ".repeat(2000) + "\n";
        Program.Result refused = Program.run(Map.of(), input, "predict", "--model", model);
        assertThat(refused.status()).isEqualTo(2);
        assertThat(refused.errors()).startsWith("gatun: Line 2 ").contains("--truncate");
        assertThat(refused.lines()).hasSize(1);
        Program.Result cut = Program.run(Map.of(), input, "predict", "--model", model, "--truncate");
        assertThat(cut.status()).isZero();
        assertThat(cut.lines()).hasSize(2);
    }

    @Test
    void predictRefusesAHeadThatIsNotThere() throws Exception {
        Program.run("predict", "--model", model, "--head", "mood", "text")
                .refused("no head of that name", "classification");
    }

    @Test
    void aReaderThatHasReadEnoughIsNoFault() throws Exception {
        try (Program program = Program.start(Map.of(), "predict", "--model", model, "-")) {
            program.process().getInputStream().close();
            try (var input = program.process().outputWriter()) {
                input.write("the good\n");
            }
            assertThat(program.errors().get()).isEmpty();
            assertThat(program.end()).isZero();
        }
    }

    @Test
    void aReaderThatLeavesWhileLongTextsComeIsNoFault() throws Exception {
        String line = "the good ".repeat(100_000) + "\n";
        try (Program program = Program.start(Map.of(), "predict", "--truncate", "--model", model, "-")) {
            program.process().getInputStream().close();
            try (var input = program.process().outputWriter()) {
                for (int i = 0; i < 10; i++) {
                    input.write(line);
                }
            } catch (IOException e) {
                // it has ended, as it should
            }
            assertThat(program.errors().get()).isEmpty();
            assertThat(program.end()).isZero();
        }
    }

    @Test
    void aTextMayStartWithAnAt() throws Exception {
        Path note = Files.writeString(folder.resolve("note"), "one two \"three\"");
        Program.Result result = Program.run("predict", "--model", model, "@" + note);
        assertThat(result.lines()).hasSize(1);
        assertThat(result.lines().getFirst())
                .isNotEqualTo(Program.run("predict", "--model", model, note.toString())
                        .lines()
                        .getFirst());
    }

    @Test
    void inspectWritesOneObject() throws Exception {
        Program.Result result = Program.run("inspect", "--json", model);
        assertThat(result.errors()).isEmpty();
        assertThat(result.lines()).hasSize(1);
        JsonNode description = JSON.readTree(result.output());
        JsonNode config = JSON.readTree(
                SmallModel.folder("distilbert-small").resolve("config.json").toFile());
        assertThat(description.get("architecture").textValue()).isEqualTo("bert");
        assertThat(description.get("bytes").longValue()).isEqualTo(Files.size(Path.of(model)));
        assertThat(description.get("layers")).isEqualTo(config.get("n_layers"));
        assertThat(description.get("embedding_length")).isEqualTo(config.get("dim"));
        assertThat(description.get("vocabulary_size")).isEqualTo(config.get("vocab_size"));
        assertThat(description.get("heads").get(0).get("labels"))
                .hasSize(config.get("id2label").size());
        assertThat(description.get("types").has("f32")).isTrue();
    }

    @Test
    void inspectIsReadable() throws Exception {
        Program.Result result = Program.run("inspect", model);
        assertThat(result.status()).isZero();
        assertThat(result.output()).contains("architecture      bert\n", "labels");
    }

    @Test
    void everyWayToComputeAnswersAlike() throws Exception {
        double expected = score(Program.run("predict", "--model", model, "--compute", "f32", "the good")
                .output());
        for (String compute : List.of("int8", "ggml")) {
            Program.Result result = Program.run("predict", "--model", model, "--compute", compute, "the good");
            assertThat(result.errors()).isEmpty();
            assertThat(score(result.output())).as(compute).isCloseTo(expected, offset(0.02));
        }
        Program.run("predict", "--model", model, "--compute", "int4", "the good")
                .refused("int4", "int8, f32, bf16, ggml");
    }

    @Test
    void bf16IsRefusedWhereTheProcessorLacksIt() throws Exception {
        for (InstructionSet set : Kernel.instructionSets()) {
            if (set.supported()) {
                Map<String, String> environment = Map.of("GATUN_CPU", set.name());
                Program.Result result =
                        Program.run(environment, "", "predict", "--model", model, "--compute", "bf16", "the good");
                if (set.bf16()) {
                    assertThat(result.lines()).as(result.errors()).hasSize(1);
                } else {
                    result.refused(set.name(), "--compute int8");
                }
            }
        }
    }

    @Test
    void inspectTellsTheInstructionSets() throws Exception {
        Program.Result table = Program.run("inspect", "--cpu");
        assertThat(table.errors()).isEmpty();
        assertThat(table.status()).isZero();
        assertThat(table.lines()).hasSize(Kernel.instructionSets().size());
        assertThat(table.lines())
                .filteredOn(line -> line.contains("in use"))
                .singleElement()
                .satisfies(line -> assertThat(line).startsWith(Kernel.cpu()));
        JsonNode sets = JSON.readTree(Program.run("inspect", "--cpu", "--json").output())
                .get("instruction_sets");
        for (InstructionSet set : Kernel.instructionSets()) {
            assertThat(sets)
                    .filteredOn(node -> node.get("name").textValue().equals(set.name()))
                    .singleElement()
                    .satisfies(node -> {
                        assertThat(node.get("supported").booleanValue()).isEqualTo(set.supported());
                        assertThat(node.get("in_use").booleanValue()).isEqualTo(set.inUse());
                        assertThat(node.get("bf16").booleanValue()).isEqualTo(set.bf16());
                    });
        }
        Program.run("inspect", "--cpu", model).refused("--help");
    }

    @Test
    void convertWritesAFileThatAnswers() throws Exception {
        Path out = folder.resolve("converted.gguf");
        Program.Result result =
                Program.run("convert", SmallModel.folder("bert-small").toString(), out.toString(), "--type", "Q8_0");
        assertThat(result.status()).as(result.errors()).isZero();
        assertThat(result.errors().lines()).hasSize(1);
        assertThat(Program.run("predict", "--model", out.toString(), "the good").lines())
                .hasSize(1);
    }

    @Test
    void convertJoinsHeadsOfOneEncoder() throws Exception {
        Path golden = Path.of("src/test/resources/io/gatun/golden/distilbert-uncased");
        String base = golden.resolve("text-classification").toString();
        String tags = golden.resolve("token-classification").toString();
        String out = folder.resolve("joined.gguf").toString();
        Program.Result result = Program.run("convert", base, out, "--head", "tags=" + tags, "--type", "f16");
        assertThat(result.status()).as(result.errors()).isZero();
        assertThat(Program.run("inspect", "--json", out).output()).contains("\"classification\"", "\"tags\"");
        String other = SmallModel.folder("distilbert-small").toString();
        Program.run("convert", base, out, "--head", "tone=" + other)
                .refused("The encoder of " + base + " is not that of the head tone of " + other);
        Program.run("convert", base, out, "--head", tags).refused("--head NAME=FOLDER");
        Program.run("convert", base, out, "--head", "a=" + base, "--head", "a=" + tags)
                .refused("'a'");
    }

    @Test
    void convertRefusesWhatIsNoCheckpoint() throws Exception {
        Path empty = Files.createDirectories(folder.resolve("empty"));
        Program.run("convert", empty.toString(), folder.resolve("x.gguf").toString())
                .refused();
        Program.run(
                        "convert",
                        folder.resolve("none").toString(),
                        folder.resolve("x.gguf").toString())
                .refused();
        Program.run("convert", empty.toString(), folder.resolve("x.gguf").toString(), "--type", "q9")
                .refused("q9");
        String source = SmallModel.folder("bert-small").toString();
        Program.run("convert", source, folder.resolve("none/x.gguf").toString()).refused("x.gguf");
    }

    @Test
    void anInstructionSetThatIsNotThereIsRefused() throws Exception {
        Program.run(Map.of("GATUN_CPU", "abacus"), "", "predict", "--model", model, "text")
                .refused("abacus");
    }

    @Test
    void convertReplacesFilesOnly() throws Exception {
        Path link = Files.createSymbolicLink(folder.resolve("link.gguf"), folder.resolve("elsewhere.gguf"));
        Program.run("convert", SmallModel.folder("bert-small").toString(), link.toString())
                .refused(link.toString());
        assertThat(link).isSymbolicLink();
    }

    @Test
    void aLibraryThatWasCutShortIsUnpackedAnew() throws Exception {
        Path cache = folder.resolve("cache");
        Map<String, String> environment = Map.of("GATUN_CACHE", cache.toString());
        assertThat(Program.run(environment, "", "predict", "--model", model, "the good")
                        .status())
                .isZero();
        Path library;
        try (Stream<Path> files = Files.walk(cache)) {
            library = files.filter(file -> file.endsWith(System.mapLibraryName("tokenizers")))
                    .findFirst()
                    .orElseThrow();
        }
        Files.write(library, Arrays.copyOf(Files.readAllBytes(library), 1000));
        Program.Result result = Program.run(environment, "", "predict", "--model", model, "the good");
        assertThat(result.errors()).isEmpty();
        assertThat(result.status()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "fly", "--fly", "inspect", "convert", "predict --fly"})
    void wrongUseIsRefused(String arguments) throws Exception {
        Program.run(arguments.isEmpty() ? new String[0] : arguments.split(" ", -1))
                .refused("--help");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--help", "--version", "serve --help", "predict --help", "convert --help", "inspect -h"})
    void helpAndVersionArePrinted(String arguments) throws Exception {
        Program.Result result = Program.run(arguments.split(" ", -1));
        assertThat(result.status()).isZero();
        assertThat(result.errors()).isEmpty();
        assertThat(result.output()).contains("gatun");
    }

    private static double score(String line) throws Exception {
        return JSON.readTree(line).get(0).get("score").doubleValue();
    }
}
