package io.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.gatun.golden.GoldenCase;
import io.gatun.golden.GoldenModels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The tasks on the command line: the answers of the routes, a line each. */
final class TaskCommandsTest {
    private static final JsonMapper JSON = new JsonMapper();

    @TempDir
    private Path folder = Path.of("");

    @ParameterizedTest
    @CsvSource({
        "ner --aggregation none, token-classification",
        "qa, question-answering",
        "fill-mask, fill-mask",
    })
    void linesOfJsonAreAnsweredAsThePipelinesDo(String command, String task) throws Exception {
        String model = GoldenModels.convert("distilbert-uncased", task, folder).toString();
        List<GoldenCase> cases = GoldenCase.of("distilbert-uncased", task);
        Path calls = folder.resolve("calls.jsonl");
        Files.writeString(
                calls, cases.stream().map(each -> each.call().toString()).collect(Collectors.joining("\n")));
        Program.Result result =
                Program.run((command + " --json --compute f32 --model " + model + " --input " + calls).split(" ", -1));
        assertThat(result.errors()).isEmpty();
        assertThat(result.status()).isZero();
        assertThat(result.lines()).hasSize(cases.size());
        for (int i = 0; i < cases.size(); i++) {
            cases.get(i).assertAnswer(JSON.readTree(result.lines().get(i)), 1e-4);
        }
    }

    @Test
    void optionsAreParameters() throws Exception {
        String ner = GoldenModels.convert("distilbert-uncased", "token-classification", folder)
                .toString();
        JsonNode entities = only(Program.run("ner", "--model", ner, "Anna Smith flew to Berlin."));
        assertThat(entities)
                .isNotEmpty()
                .allSatisfy(entity -> assertThat(entity.has("entity_group")).isTrue());
        String words =
                GoldenModels.convert("distilbert-uncased", "fill-mask", folder).toString();
        JsonNode fills = only(Program.run("fill-mask", "--model", words, "--top-k", "2", "the [MASK] was good"));
        assertThat(fills).hasSize(2);
        Program.run("fill-mask", "--model", words, "no mask").refused("Text 1", "[MASK]");
        String answers = GoldenModels.convert("distilbert-uncased", "question-answering", folder)
                .toString();
        Path context = Files.writeString(folder.resolve("context.txt"), "Anna Smith was born in Berlin in 1987.");
        Program.Result both =
                Program.run(Map.of(), "Where?\nWhen?\n", "qa", "--model", answers, "--context", context.toString());
        assertThat(both.lines()).hasSize(2);
        JsonNode one = only(Program.run("qa", "--model", answers, "--question", "Where?", Files.readString(context)));
        assertThat(JSON.readTree(both.lines().getFirst())).isEqualTo(one);
        Program.run("qa", "--model", answers, "Where?").refused("--context");
    }

    @Test
    void theModelThatComesWithItMakesVectorsAndAsksAllItsHeads() throws Exception {
        JsonNode vector = only(Program.run("embed", "--dimensions", "3", "hello"));
        assertThat(vector).hasSize(3);
        JsonNode analysis = only(Program.run("analyze", "--heads", "sentiment,entities", "Anna loves Berlin 😀"));
        assertThat(analysis.get("sentiment").get(0).get("label").textValue()).isEqualTo("POSITIVE");
        assertThat(analysis.get("entities").findValuesAsText("word")).contains("anna", "berlin");
        assertThat(analysis).hasSize(2);
    }

    private static JsonNode only(Program.Result result) throws Exception {
        assertThat(result.errors()).isEmpty();
        assertThat(result.lines()).hasSize(1);
        return JSON.readTree(result.lines().getFirst());
    }
}
