package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.golden.GoldenCase;
import io.gatun.golden.GoldenModels;
import io.gatun.kernel.Compute;
import io.gatun.model.ModelSource;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Vectors beside those of Hugging Face's own classes. */
final class GoldenVectorsTest {
    @ParameterizedTest
    @CsvSource({
        "distilbert-uncased, F32, 1e-4",
        "distilbert-cased, F32, 1e-4",
        "bert-uncased, F32, 1e-4",
        "distilbert-uncased, INT8, 2e-2",
        "distilbert-cased, INT8, 2e-2",
        "bert-uncased, INT8, 2e-2"
    })
    void everyPoolingAndEveryToken(String name, Compute compute, double tolerance, @TempDir Path folder) {
        ModelSource model = ModelSource.file(GoldenModels.convert(name, "feature-extraction", folder));
        try (RunningServer running = new RunningServer(compute, Map.of("golden", model))) {
            for (GoldenCase each : GoldenCase.of(name, "feature-extraction")) {
                if (compute == Compute.F32 || each.holdsInInt8()) {
                    each.assertAnswer(answer(running, "/embed", each.call()).get(0), tolerance);
                }
            }
            for (GoldenCase each : GoldenCase.of(name, "feature-extraction", "states.jsonl")) {
                if (compute == Compute.F32 || each.holdsInInt8()) {
                    ObjectNode call = each.call().deepCopy();
                    call.putObject("parameters").put("pooling", "none");
                    each.assertAnswer(answer(running, "/models/golden/pipeline/feature-extraction", call), tolerance);
                }
            }
        }
    }

    private static JsonNode answer(RunningServer running, String path, JsonNode call) {
        HttpResponse<String> response = running.post(path, call.toString());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return RunningServer.json(response);
    }
}
