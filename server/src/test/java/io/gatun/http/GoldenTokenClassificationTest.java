package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.kernel.Compute;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What Hugging Face's pipeline answers, to the letter. */
final class GoldenTokenClassificationTest {
    @TempDir
    private static Path folder = Path.of("");

    @ParameterizedTest
    @ValueSource(strings = {"distilbert-uncased", "distilbert-cased", "bert-uncased"})
    void inFullPrecision(String model) throws IOException {
        Path golden = RunningServer.resource("/io/gatun/golden/" + model + "/token-classification");
        try (RunningServer running =
                new RunningServer(Compute.F32, Map.of("golden", RunningServer.convert(folder, model, golden)))) {
            for (String line : Files.readAllLines(golden.resolve("golden.jsonl"))) {
                JsonNode expected = RunningServer.json(line);
                HttpResponse<String> response =
                        running.post("/ner", expected.get("call").toString());
                assertThat(response.statusCode()).as(line).isEqualTo(200);
                same(expected.get("answer"), RunningServer.json(response), line);
            }
        }
    }

    private static void same(JsonNode expected, JsonNode found, String line) {
        if (expected.isFloatingPointNumber()) {
            assertThat(found.doubleValue()).as(line).isCloseTo(expected.doubleValue(), Offset.offset(1e-4));
        } else if (expected.isArray()) {
            assertThat(found).as(line).hasSize(expected.size());
            for (int i = 0; i < expected.size(); i++) {
                same(expected.get(i), found.get(i), line);
            }
        } else if (expected.isObject()) {
            assertThat(found.properties().stream().map(Map.Entry::getKey).toList())
                    .as(line)
                    .isEqualTo(expected.properties().stream()
                            .map(Map.Entry::getKey)
                            .toList());
            expected.properties().forEach(field -> same(field.getValue(), found.get(field.getKey()), line));
        } else {
            assertThat(found).as(line).isEqualTo(expected);
        }
    }
}
