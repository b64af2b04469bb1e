package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.batch.SmallModel;
import io.gatun.kernel.Slab;
import io.gatun.model.Head;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** {@code /predict} over a real socket, against the logits that Hugging Face's classes gave for the same checkpoint. */
final class PredictTest {
    private static final List<SmallModel.Row> ROWS = SmallModel.reference(SmallModel.HEADS);
    private static final int CLIENTS = 64;

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
    void rawScoresAreTheLogitsOfTheNamedHead() {
        for (SmallModel.Row row : ROWS) {
            for (String head : List.of("tone", "topics")) {
                JsonNode answer = answer(Map.of("inputs", row.text(), "head", head, "raw_scores", true));
                assertLogits(answer, row, head(head));
            }
        }
    }

    @Test
    void toneIsBySoftmaxAndTheDefault() {
        SmallModel.Row row = ROWS.get(1);
        JsonNode answer = answer(Map.of("inputs", row.text()));
        float[] logits = row.logits(head("tone"));
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit);
        }
        for (int i = 0; i < logits.length; i++) {
            assertThat(score(answer, head("tone").labels().get(i))).isCloseTo(Math.exp(logits[i]) / sum, within(1e-5));
        }
        assertThat(scores(answer)).isSortedAccordingTo(Collections.reverseOrder());
    }

    @Test
    void topicsAreBySigmoid() {
        SmallModel.Row row = ROWS.get(2);
        JsonNode answer = answer(Map.of("inputs", row.text(), "head", "topics"));
        float[] logits = row.logits(head("topics"));
        for (int i = 0; i < logits.length; i++) {
            assertThat(score(answer, head("topics").labels().get(i)))
                    .isCloseTo(1 / (1 + Math.exp(-logits[i])), within(1e-5));
        }
        assertThat(scores(answer)).isSortedAccordingTo(Collections.reverseOrder());
    }

    @Test
    void theFormOfTheInputsIsTheFormOfTheAnswer() {
        JsonNode one = answer(Map.of("inputs", "a"));
        assertThat(one.get(0).isObject()).isTrue();
        assertThat(answer(Map.of("inputs", List.of("a", "b"))).get(0).isObject())
                .as("a flat list of two is one pair")
                .isTrue();
        assertThat(answer(Map.of("inputs", List.of("a"))))
                .as("and a flat list of one is one text")
                .isEqualTo(one);
        JsonNode batch = answer(Map.of("inputs", List.of(List.of("a"), List.of("a", "b"), List.of(""))));
        assertThat(batch).hasSize(3);
        assertThat(batch.get(0)).isEqualTo(one);
        assertThat(batch.get(1)).isEqualTo(answer(Map.of("inputs", List.of("a", "b"))));
        assertThat(batch.get(2)).isEqualTo(answer(Map.of("inputs", "")));
    }

    @Test
    void theAnswerTellsItsTimesAndItsTokens() {
        HttpResponse<String> response = running.send(running.request("/predict")
                .header("x-request-id", "mine-7")
                .POST(HttpRequest.BodyPublishers.ofString("{\"inputs\":[[\"\"],[\"\"]]}"))
                .build());
        assertThat(response.headers().firstValue("x-request-id")).hasValue("mine-7");
        assertThat(response.headers().firstValue("x-compute-tokens")).hasValue("4");
        for (String time : List.of("total", "tokenization", "queue", "inference")) {
            assertThat(Double.parseDouble(
                            response.headers().firstValue("x-" + time + "-time").orElseThrow()))
                    .isNotNegative();
        }
    }

    @Test
    void neighboursAndOrderChangeNothing() {
        List<SmallModel.Row> rows = new ArrayList<>(ROWS);
        for (int seed = 0; seed < 5; seed++) {
            Collections.shuffle(rows, new Random(seed));
            JsonNode batch = answer(Map.of(
                    "inputs",
                    rows.stream().map(row -> List.of(row.text())).toList(),
                    "head",
                    "topics",
                    "raw_scores",
                    true));
            for (int i = 0; i < rows.size(); i++) {
                assertLogits(batch.get(i), rows.get(i), head("topics"));
                assertThat(batch.get(i))
                        .isEqualTo(answer(Map.of("inputs", rows.get(i).text(), "head", "topics", "raw_scores", true)));
            }
        }
    }

    @Test
    void thousandsOfRequestsLeaveNothingBehind() throws Exception {
        List<JsonNode> alone = new ArrayList<>();
        for (SmallModel.Row row : ROWS) {
            alone.add(answer(Map.of("inputs", row.text())));
        }
        List<String> logged = new CopyOnWriteArrayList<>();
        Handler log = new Handler() {
            @Override
            public void publish(LogRecord line) {
                logged.add(line.getMessage());
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger root = Logger.getLogger("");
        root.addHandler(log);
        long before = Slab.allocatedBytes();
        for (int i = 0; i < 2_000; i++) {
            int row = i % ROWS.size();
            assertThat(answer(Map.of("inputs", ROWS.get(row).text()))).isEqualTo(alone.get(row));
        }
        try (ExecutorService clients = Executors.newFixedThreadPool(CLIENTS)) {
            List<Future<?>> done = new ArrayList<>();
            for (int i = 0; i < 20_000; i++) {
                int row = i % ROWS.size();
                done.add(clients.submit(() -> assertThat(
                                answer(Map.of("inputs", ROWS.get(row).text())))
                        .isEqualTo(alone.get(row))));
            }
            for (Future<?> each : done) {
                each.get();
            }
        }
        assertThat(Slab.allocatedBytes()).isEqualTo(before);
        root.removeHandler(log);
        assertThat(logged).isEmpty();
    }

    private static Head head(String name) {
        return running.model().head(name).orElseThrow();
    }

    private static JsonNode answer(Map<String, Object> request) {
        HttpResponse<String> response = running.post(
                "/predict", RunningServer.MAPPER.valueToTree(request).toString());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return RunningServer.json(response);
    }

    private static void assertLogits(JsonNode answer, SmallModel.Row row, Head head) {
        float[] logits = row.logits(head);
        assertThat(answer).hasSize(logits.length);
        for (int i = 0; i < logits.length; i++) {
            assertThat(score(answer, head.labels().get(i)))
                    .as(row.text() + " " + Arrays.toString(logits))
                    .isCloseTo(logits[i], within(1e-3));
        }
    }

    private static double score(JsonNode answer, String label) {
        return StreamSupport.stream(answer.spliterator(), false)
                .filter(entry -> entry.get("label").textValue().equals(label))
                .findFirst()
                .orElseThrow()
                .get("score")
                .doubleValue();
    }

    private static List<Double> scores(JsonNode answer) {
        return StreamSupport.stream(answer.spliterator(), false)
                .map(entry -> entry.get("score").doubleValue())
                .toList();
    }
}
