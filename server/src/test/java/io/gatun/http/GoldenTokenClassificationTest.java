package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.kernel.Compute;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
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
        check(model, Compute.F32, _ -> true, 1e-4);
    }

    /** The answers that rounding does not turn: the file tells which. */
    @ParameterizedTest
    @ValueSource(strings = {"distilbert-uncased", "distilbert-cased", "bert-uncased"})
    void inEightBits(String model) throws IOException {
        check(model, Compute.INT8, line -> line.path("int8").asBoolean(), 2e-2);
    }

    private static void check(String model, Compute compute, Predicate<JsonNode> chosen, double tolerance)
            throws IOException {
        Path golden = RunningServer.resource("/io/gatun/golden/" + model + "/token-classification");
        try (RunningServer running =
                new RunningServer(compute, Map.of("golden", RunningServer.convert(folder, model + compute, golden)))) {
            for (String line : Files.readAllLines(golden.resolve("golden.jsonl"))) {
                JsonNode expected = RunningServer.json(line);
                if (chosen.test(expected)) {
                    HttpResponse<String> response =
                            running.post("/ner", expected.get("call").toString());
                    assertThat(response.statusCode()).as(line).isEqualTo(200);
                    same(expected.get("answer"), RunningServer.json(response), tolerance, line);
                }
            }
        }
    }

    @Test
    void aDocumentOfAHundredThousandWords() {
        Path golden = RunningServer.resource("/io/gatun/golden/distilbert-uncased/token-classification");
        String text = "Anna Smith flew to Berlin and came back from New York with two friends and ".repeat(6667);
        try (RunningServer running =
                new RunningServer(Compute.F32, Map.of("golden", RunningServer.convert(folder, "document", golden)))) {
            for (int stride : new int[] {0, 64}) {
                HttpResponse<String> response = running.post(
                        "/ner",
                        "{\"inputs\":\"%s\",\"parameters\":{\"aggregation_strategy\":\"simple\",\"stride\":%d}}"
                                .formatted(text, stride));
                assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
                JsonNode entities = RunningServer.json(response);
                assertThat(entities.size()).isGreaterThan(10_000);
                int end = 0;
                for (JsonNode entity : entities) {
                    int start = entity.get("start").intValue();
                    assertThat(start).isGreaterThanOrEqualTo(end);
                    end = entity.get("end").intValue();
                    assertThat(entity.get("word").textValue())
                            .isEqualTo(text.substring(start, end).toLowerCase(Locale.ROOT));
                }
                assertThat(end).isGreaterThan(text.length() - 100);
            }
        }
    }

    private static void same(JsonNode expected, JsonNode found, double tolerance, String line) {
        if (expected.isFloatingPointNumber()) {
            assertThat(found.doubleValue()).as(line).isCloseTo(expected.doubleValue(), Offset.offset(tolerance));
        } else if (expected.isArray()) {
            assertThat(found).as(line).hasSize(expected.size());
            for (int i = 0; i < expected.size(); i++) {
                same(expected.get(i), found.get(i), tolerance, line);
            }
        } else if (expected.isObject()) {
            assertThat(found.properties().stream().map(Map.Entry::getKey).toList())
                    .as(line)
                    .isEqualTo(expected.properties().stream()
                            .map(Map.Entry::getKey)
                            .toList());
            expected.properties().forEach(field -> same(field.getValue(), found.get(field.getKey()), tolerance, line));
        } else {
            assertThat(found).as(line).isEqualTo(expected);
        }
    }
}
