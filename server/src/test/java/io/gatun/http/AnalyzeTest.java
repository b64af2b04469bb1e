package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.kernel.Compute;
import io.gatun.model.Head;
import io.gatun.model.Task;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** All heads at once, beside each alone. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class AnalyzeTest {
    private static final String TEXTS = "[\"a text\",\"another, and longer\",\"\\uD83D\\uDE00 ok\",\"\"]";

    private final List<Integer> batches = Collections.synchronizedList(new ArrayList<>());
    private final RunningServer running = new RunningServer((sequences, tokens) -> batches.add(sequences));

    @AfterAll
    void close() {
        running.close();
    }

    @Test
    void everyHeadSaysToTheBitWhatItSaysAloneAndEachTextIsReadOnce() {
        batches.clear();
        JsonNode all = ok(running.post("/analyze", "{\"inputs\":" + TEXTS + "}"));
        assertThat(batches.stream().mapToInt(Integer::intValue).sum()).isEqualTo(4);
        assertThat(all).hasSize(4);
        for (Head head : running.model().description().heads()) {
            String of = "\"parameters\":{\"head\":\"" + head.name() + "\"";
            JsonNode alone = ok(
                    head.task() == Task.TEXT_CLASSIFICATION
                            ? running.post("/models/small", "{\"inputs\":" + TEXTS + "," + of + ",\"top_k\":null}}")
                            : running.post(
                                    "/ner",
                                    "{\"inputs\":" + TEXTS + "," + of + ",\"aggregation_strategy\":\"simple\"}}"));
            for (int i = 0; i < 4; i++) {
                assertThat(all.get(i).get(head.name())).as(head.name()).isEqualTo(alone.get(i));
            }
        }
        assertThat(all.get(0)).hasSize(running.model().description().heads().size());
    }

    @Test
    void oneTextIsOneAnswerAndTheSameAsInABatch() {
        JsonNode one = ok(running.post("/analyze", "{\"inputs\":\"another, and longer\"}"));
        assertThat(one.isObject()).isTrue();
        assertThat(one)
                .isEqualTo(ok(running.post("/analyze", "{\"inputs\":" + TEXTS + "}"))
                        .get(1));
    }

    @Test
    void theHeadsThatAreNamedInTheirOrder() {
        List<String> names =
                running.model().description().heads().stream().map(Head::name).toList();
        JsonNode two = ok(running.post(
                "/analyze", "{\"inputs\":\"a text\",\"heads\":[\"" + names.get(2) + "\",\"" + names.get(0) + "\"]}"));
        assertThat(two.fieldNames()).toIterable().containsExactly(names.get(2), names.get(0));
        JsonNode all = ok(running.post("/analyze", "{\"inputs\":\"a text\"}"));
        assertThat(two.get(names.get(0))).isEqualTo(all.get(names.get(0)));
        assertThat(ok(running.post("/models/small/pipeline/analyze", "{\"inputs\":\"a text\"}")))
                .isEqualTo(all);
    }

    @Test
    void entitiesAsTheParametersSay() {
        JsonNode single = ok(running.post(
                "/analyze",
                "{\"inputs\":\"a text\",\"parameters\":{\"aggregation_strategy\":\"none\",\"ignore_labels\":[]}}"));
        JsonNode alone = ok(running.post(
                "/ner", "{\"inputs\":\"a text\",\"parameters\":{\"head\":\"entities\",\"ignore_labels\":[]}}"));
        assertThat(alone.size()).isPositive();
        assertThat(single.get("entities")).isEqualTo(alone);
    }

    @Test
    void masksAreFilledWhereThereAreAny(@TempDir Path folder) {
        Path golden = RunningServer.resource("/io/gatun/golden/distilbert-uncased/fill-mask");
        try (RunningServer filling =
                new RunningServer(Compute.F32, Map.of("words", RunningServer.convert(folder, "words", golden)))) {
            String head = filling.model().description().heads().getFirst().name();
            JsonNode all = ok(filling.post("/analyze", "{\"inputs\":[\"Anna [MASK] to Berlin.\",\"no mask\"]}"));
            assertThat(all.get(0).get(head))
                    .isEqualTo(ok(filling.post("/fill_mask", "{\"inputs\":\"Anna [MASK] to Berlin.\"}")));
            assertThat(all.get(1)).isEmpty();
            assertThat(filling.post("/analyze", "{\"inputs\":\"" + "[MASK] ".repeat(65) + "\"}")
                            .statusCode())
                    .isEqualTo(422);
        }
    }

    @Test
    void questionsNeedARouteOfTheirOwn(@TempDir Path folder) {
        Path golden = RunningServer.resource("/io/gatun/golden/distilbert-uncased/question-answering");
        try (RunningServer answering =
                new RunningServer(Compute.F32, Map.of("answers", RunningServer.convert(folder, "answers", golden)))) {
            String head = answering.model().description().heads().getFirst().name();
            for (String heads : List.of("", ",\"heads\":[\"" + head + "\"]")) {
                assertThat(answering
                                .post("/analyze", "{\"inputs\":\"a text\"" + heads + "}")
                                .statusCode())
                        .isEqualTo(422);
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"inputs\":[]} | 400",
                "{\"inputs\":7} | 422",
                "{} | 422",
                "{\"inputs\":\"a\",\"heads\":[]} | 422",
                "{\"inputs\":\"a\",\"heads\":[\"none\"]} | 422",
                "{\"inputs\":\"a\",\"heads\":\"tone\"} | 422",
                "{\"inputs\":\"a\",\"parameters\":{\"aggregation_strategy\":\"all\"}} | 422",
                "{\"inputs\":\"a\",\"parameters\":{\"threshold\":2}} | 422",
                "{\"inputs\":\"a\",\"model\":\"none\"} | 422"
            })
    void whatIsWrong(String body, int status) {
        HttpResponse<String> response = running.post("/analyze", body);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    }

    @Test
    void aLongTextIsCutOrRefused() {
        String text = "\"" + "word ".repeat(200) + "\"";
        assertThat(running.post("/analyze", "{\"inputs\":" + text + "}").statusCode())
                .isEqualTo(422);
        ok(running.post("/analyze", "{\"inputs\":" + text + ",\"truncate\":true}"));
    }

    private static JsonNode ok(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return RunningServer.json(response);
    }
}
