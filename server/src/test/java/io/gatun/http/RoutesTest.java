package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.batch.SmallModel;
import io.gatun.kernel.Kernel;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The routes beside {@code /predict}. */
final class RoutesTest {
    private static RunningServer running;

    @BeforeAll
    static void start() {
        running = new RunningServer();
    }

    @AfterAll
    static void stop() {
        running.close();
    }

    @Test
    void tokensHaveTheIdsAndOffsetsOfTheReference() {
        for (SmallModel.Row row : SmallModel.reference(SmallModel.HEADS)) {
            JsonNode tokens = ok(running.post("/tokenize", json(Map.of("inputs", row.text()))));
            assertThat(tokens).hasSize(1);
            List<Integer> ids = new ArrayList<>();
            for (int i = 0; i < tokens.get(0).size(); i++) {
                JsonNode token = tokens.get(0).get(i);
                JsonNode offsets = row.all().get("offsets").get(i);
                ids.add(token.get("id").intValue());
                if (token.get("special").booleanValue()) {
                    assertThat(token.get("start").isNull() && token.get("stop").isNull())
                            .isTrue();
                    continue;
                }
                int start = offsets.get(0).intValue();
                int stop = offsets.get(1).intValue();
                assertThat(token.get("start").intValue()).isEqualTo(start);
                assertThat(token.get("stop").intValue()).isEqualTo(stop);
                int[] codePoints = row.text().codePoints().toArray();
                assertThat(token.get("text").textValue()).isEqualTo(new String(codePoints, start, stop - start));
            }
            assertThat(ids).containsExactly(Arrays.stream(row.ids()).boxed().toArray(Integer[]::new));
        }
    }

    @Test
    void offsetsCountCodePoints() {
        JsonNode tokens = ok(running.post(
                        "/tokenize", json(Map.of("inputs", "\uD83D\uDE00 a", "add_special_tokens", false))))
                .get(0);
        JsonNode last = tokens.get(tokens.size() - 1);
        assertThat(last.get("text").textValue()).isEqualTo("a");
        assertThat(last.get("start").intValue()).isEqualTo(2);
        assertThat(last.get("stop").intValue()).isEqualTo(3);
    }

    @Test
    void idsBecomeTextAgain() {
        JsonNode tokens = ok(running.post("/tokenize", json(Map.of("inputs", List.of("the good", "a")))));
        List<List<Integer>> sequences = new ArrayList<>();
        for (JsonNode sequence : tokens) {
            List<Integer> one = new ArrayList<>();
            sequence.forEach(token -> one.add(token.get("id").intValue()));
            sequences.add(one);
        }
        assertThat(ok(running.post("/decode", json(Map.of("ids", sequences)))))
                .isEqualTo(RunningServer.json("[\"the good\",\"a\"]"));
        assertThat(ok(running.post("/decode", json(Map.of("ids", sequences.get(1), "skip_special_tokens", false)))))
                .isEqualTo(RunningServer.json("[\"[CLS] a [SEP]\"]"));
    }

    @Test
    void infoTellsWhatIsServed() {
        JsonNode info = ok(running.get("/info"));
        assertThat(info.get("model_id").textValue()).isEqualTo("small");
        assertThat(info.get("max_input_length").intValue())
                .isEqualTo(running.model().maxTokens());
        assertThat(info.at("/model_type/classifier/id2label/0").textValue()).isEqualTo("NEGATIVE");
        assertThat(info.get("instruction_set").textValue()).isEqualTo(Kernel.cpu());
        assertThat(info.get("compute").textValue()).isEqualTo("f32");
        assertThat(info.get("heads").findValuesAsText("name")).containsExactly("tone", "topics", "spans", "entities");
        assertThat(info.get("models").findValuesAsText("architecture")).containsOnly("bert");
    }

    @Test
    void metricsCountAndMeasure() {
        String before = running.get("/metrics").body();
        ok(running.post("/predict", json(Map.of("inputs", "a"))));
        ok(running.post("/predict", json(Map.of("inputs", List.of(List.of("a"), List.of("b"))))));
        running.post("/predict", "{}");
        String after = running.get("/metrics").body();
        for (String series : List.of(
                "te_request_count{method=\"single\"}",
                "te_request_count{method=\"batch\"}",
                "te_request_success{method=\"single\"}",
                "te_request_success{method=\"batch\"}",
                "te_request_failure{err=\"validation\"}")) {
            assertThat(value(after, series) - value(before, series)).as(series).isEqualTo(1);
        }
        for (String stage : List.of("", "_tokenization", "_queue", "_inference")) {
            String series = "te_request" + stage + "_duration";
            assertThat(value(after, series + "_count") - value(before, series + "_count"))
                    .as(series)
                    .isEqualTo(2);
            assertThat(after.lines().filter(line -> line.startsWith(series + "_bucket")))
                    .hasSize(36);
        }
        assertThat(value(after, "te_request_input_length_count") - value(before, "te_request_input_length_count"))
                .isEqualTo(3);
        assertThat(value(after, "te_queue_size")).isZero();
        assertThat(value(after, "gatun_native_bytes{model=\"small\"}")).isPositive();
        assertThat(value(after, "gatun_model_load_seconds{model=\"small\"}"))
                .isBetween(0.0, 60.0)
                .isPositive();
        List<Double> percentiles = new ArrayList<>();
        for (String quantile : List.of("0.5", "0.9", "0.99", "0.999", "1")) {
            percentiles.add(value(
                    after,
                    "gatun_duration_seconds{model=\"small\",quantile=\"" + quantile + "\",stage=\"inference\"}"));
        }
        assertThat(percentiles)
                .isSorted()
                .allSatisfy(seconds -> assertThat(seconds).isPositive());
    }

    @Test
    void healthIsRefusedWhileDraining() {
        try (RunningServer draining = new RunningServer()) {
            assertThat(draining.get("/health").statusCode()).isEqualTo(200);
            draining.server.drain();
            HttpResponse<String> refused = draining.post("/predict", json(Map.of("inputs", "a")));
            assertThat(refused.statusCode()).isEqualTo(503);
            assertThat(RunningServer.json(refused).get("error_type").textValue())
                    .isEqualTo("Unhealthy");
            assertThat(draining.get("/health").statusCode()).isEqualTo(503);
        }
    }

    private static double value(String metrics, String series) {
        return metrics.lines()
                .filter(line -> line.startsWith(series + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(series.length() + 1)))
                .findFirst()
                .orElse(0);
    }

    private static String json(Map<String, Object> request) {
        return RunningServer.MAPPER.valueToTree(request).toString();
    }

    private static JsonNode ok(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return RunningServer.json(response);
    }
}
