package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.kernel.Compute;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Vectors beside those of Hugging Face's own classes. */
final class GoldenVectorsTest {
    @TempDir
    private static Path folder = Path.of("");

    @ParameterizedTest
    @ValueSource(strings = {"distilbert-uncased", "distilbert-cased", "bert-uncased"})
    void everyPoolingAndEveryToken(String model) throws IOException {
        Path golden = RunningServer.resource("/io/gatun/golden/" + model + "/feature-extraction");
        try (RunningServer running =
                new RunningServer(Compute.F32, Map.of("golden", RunningServer.convert(folder, model, golden)))) {
            for (String line : Files.readAllLines(golden.resolve("golden.jsonl"))) {
                JsonNode expected = RunningServer.json(line);
                HttpResponse<String> response =
                        running.post("/embed", expected.get("call").toString());
                assertThat(response.statusCode()).as(line).isEqualTo(200);
                same(expected.get("answer"), RunningServer.json(response).get(0), line);
            }
            for (String line : Files.readAllLines(golden.resolve("states.jsonl"))) {
                JsonNode expected = RunningServer.json(line);
                ObjectNode call = (ObjectNode) expected.get("call");
                call.putObject("parameters").put("pooling", "none");
                HttpResponse<String> response =
                        running.post("/models/golden/pipeline/feature-extraction", call.toString());
                assertThat(response.statusCode()).as(line).isEqualTo(200);
                same(expected.get("answer"), RunningServer.json(response), line);
            }
        }
    }

    private static void same(JsonNode expected, JsonNode found, String line) {
        if (!expected.isArray()) {
            assertThat(found.doubleValue()).as(line).isCloseTo(expected.doubleValue(), within(1e-4));
            return;
        }
        assertThat(found).as(line).hasSize(expected.size());
        for (int i = 0; i < expected.size(); i++) {
            same(expected.get(i), found.get(i), line);
        }
    }
}
