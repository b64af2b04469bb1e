package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.golden.GoldenCase;
import io.gatun.golden.GoldenModels;
import io.gatun.kernel.Compute;
import io.gatun.model.ModelSource;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** What Hugging Face's pipeline answers, to the letter. */
final class GoldenTokenClassificationTest {
    private static final String TASK = "token-classification";

    @TempDir
    private static Path folder = Path.of("");

    @ParameterizedTest
    @FieldSource("io.gatun.golden.GoldenModels#NAMES")
    void inFullPrecision(String model) {
        check(model, Compute.F32, _ -> true, 1e-4);
    }

    /** The answers that rounding does not turn. */
    @ParameterizedTest
    @FieldSource("io.gatun.golden.GoldenModels#NAMES")
    void inEightBits(String model) {
        check(model, Compute.INT8, GoldenCase::holdsInInt8, 2e-2);
    }

    private static void check(String model, Compute compute, Predicate<GoldenCase> chosen, double tolerance) {
        List<GoldenCase> cases =
                GoldenCase.of(model, TASK).stream().filter(chosen).toList();
        assertThat(cases).isNotEmpty();
        try (RunningServer running = server(model, compute)) {
            for (GoldenCase golden : cases) {
                HttpResponse<String> response =
                        running.post("/ner", golden.call().toString());
                assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
                golden.assertAnswer(RunningServer.json(response), tolerance);
            }
        }
    }

    private static RunningServer server(String model, Compute compute) {
        Path file = GoldenModels.convert(model, TASK, folder);
        return new RunningServer(compute, Map.of(model, ModelSource.file(file)));
    }

    @Test
    void aDocumentOfAHundredThousandWords() {
        String text = "Anna Smith flew to Berlin and came back from New York with two friends and ".repeat(6667);
        try (RunningServer running = server("distilbert-uncased", Compute.F32)) {
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
}
