package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.kernel.Compute;
import io.gatun.model.ModelSource;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Zero-shot classification by a model that was made for natural language inference. */
final class ZeroShotTest {
    private static final String TEXT = "Anna flew to Berlin.";

    @TempDir
    private static Path folder = Path.of("");

    private static RunningServer running;

    @BeforeAll
    static void serve() {
        Map<String, ModelSource> sources = new LinkedHashMap<>();
        sources.put("nli", convert("pair"));
        sources.put("moods", convert("text-classification"));
        running = new RunningServer(Compute.F32, sources);
    }

    private static ModelSource convert(String task) {
        return RunningServer.convert(folder, task, RunningServer.resource("/io/gatun/golden/bert-uncased/" + task));
    }

    @AfterAll
    static void close() {
        running.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/models/nli", "/models/nli/pipeline/zero-shot-classification"})
    void everyRouteOfPipelines(String path) {
        JsonNode answer = ok(running.post(path, body(TEXT, List.of("travel", "food", "sport"))));
        assertThat(answer.get("sequence").textValue()).isEqualTo(TEXT);
        assertThat(answer.get("labels")).hasSize(3);
        assertThat(sum(answer.get("scores"))).isCloseTo(1, within(1e-6));
    }

    @Test
    void aLabelsScoreIsThatOfItsPair() {
        JsonNode answer = ok(running.post("/models/nli", body(TEXT, List.of("travel"))));
        JsonNode logits = ok(running.post(
                "/predict", "{\"inputs\":[\"" + TEXT + "\",\"This example is travel.\"],\"raw_scores\":true}"));
        double[] byLabel = new double[2];
        logits.forEach(score -> {
            switch (score.get("label").textValue()) {
                case "contradiction" -> byLabel[0] = score.get("score").floatValue();
                case "entailment" -> byLabel[1] = score.get("score").floatValue();
                default -> {}
            }
        });
        assertThat(answer.at("/scores/0").floatValue())
                .isEqualTo((float) (1 / (1 + Math.exp(byLabel[0] - byLabel[1]))));
    }

    @Test
    void aBatchHasTheAnswersOfItsTexts() {
        List<String> labels = List.of("travel", "food");
        JsonNode batch = ok(running.post("/models/nli", body(List.of(TEXT, "", "\ud83c\udf89"), labels)));
        assertThat(batch).hasSize(3);
        assertThat(batch.get(0)).isEqualTo(ok(running.post("/models/nli", body(TEXT, labels))));
        assertThat(batch.get(1)).isEqualTo(ok(running.post("/models/nli", body("", labels))));
        assertThat(ok(running.post("/models/nli", body(List.of(TEXT), labels)))).hasSize(1);
    }

    @Test
    void huggingFacesClientsReadAList() {
        for (String agent : List.of("unknown/None; hf_hub/2.4.0; python/3.11.7", "@huggingface/inference/4.1.0")) {
            JsonNode answer = ok(running.send(running.request("/models/nli")
                    .header("User-Agent", agent)
                    .POST(HttpRequest.BodyPublishers.ofString(body(TEXT, List.of("travel", "food"))))
                    .build()));
            assertThat(answer).hasSize(2);
            assertThat(answer.get(0).get("label").isTextual()).isTrue();
            assertThat(answer.get(0).get("score").isNumber()).isTrue();
        }
    }

    @Test
    void fiveHundredLabelsOfALongText() {
        List<String> labels =
                IntStream.range(0, 500).mapToObj(i -> "topic " + i).toList();
        JsonNode answer = ok(running.post("/models/nli", body("a long text ".repeat(5000), labels)));
        assertThat(answer.get("labels"))
                .hasSize(500)
                .extracting(JsonNode::textValue)
                .containsAll(labels);
        assertThat(sum(answer.get("scores"))).isCloseTo(1, within(1e-5));
        assertThat(running.post("/models/nli", body(List.of("a", "b", "c"), labels))
                        .statusCode())
                .isEqualTo(422);
    }

    @Test
    void aLabelMayBeThereTwice() {
        JsonNode answer = ok(running.post("/models/nli", body(TEXT, List.of("food", "food"))));
        assertThat(answer.get("labels")).extracting(JsonNode::textValue).containsExactly("food", "food");
        assertThat(answer.get("scores")).extracting(JsonNode::floatValue).containsOnly(0.5f);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"candidate_labels\":[]} | no label",
                "{\"candidate_labels\":\" , \"} | no label",
                "{\"candidate_labels\":[1]} | candidate_labels[0] must be a text",
                "{\"candidate_labels\":null,\"multi_label\":true} | \"candidate_labels\" is missing",
                "{\"multi_label\":true} | \"candidate_labels\" is missing",
                "{\"candidate_labels\":[\"a\"],\"multi_label\":1} | \"multi_label\" must be true or false",
                "{\"candidate_labels\":[\"a\"],\"hypothesis_template\":\"This is.\"} | no place for a label",
                "{\"candidate_labels\":[\"a\"],\"head\":\"none\"} | no head of that name"
            })
    void whatIsWrongIsSaid(String parameters, String what) {
        HttpResponse<String> response =
                running.post("/models/nli", "{\"inputs\":\"a\",\"parameters\":" + parameters + "}");
        assertThat(response.statusCode()).as(response.body()).isEqualTo(422);
        assertThat(RunningServer.json(response).get("error").textValue()).contains(what);
    }

    @Test
    void aHypothesisThatLeavesNoRoomIsRefused() {
        HttpResponse<String> response = running.post("/models/nli", body(TEXT, List.of("word ".repeat(200))));
        assertThat(response.statusCode()).isEqualTo(422);
        assertThat(RunningServer.json(response).get("error").textValue()).contains("no room for a text");
        assertThat(running.post("/models/nli", "{\"inputs\":[],\"parameters\":{\"candidate_labels\":[\"a\"]}}")
                        .statusCode())
                .isEqualTo(400);
    }

    @Test
    void aHeadThatKnowsSomethingElseAnswersOnlyByItsName() {
        HttpResponse<String> refused = running.post("/models/moods", body(TEXT, List.of("food")));
        assertThat(refused.statusCode()).isEqualTo(422);
        assertThat(RunningServer.json(refused).get("error").textValue())
                .contains("zero-shot-classification", "text-classification", "entail");
        String body = body(TEXT, List.of("food"))
                .replace("\"candidate_labels\"", "\"head\":\"classification\",\"candidate_labels\"");
        assertThat(ok(running.post("/models/moods", body)).get("labels")).hasSize(1);
    }

    private static String body(Object inputs, List<String> labels) {
        ObjectNode body = RunningServer.MAPPER.createObjectNode();
        body.set("inputs", RunningServer.MAPPER.valueToTree(inputs));
        body.putObject("parameters").set("candidate_labels", RunningServer.MAPPER.valueToTree(labels));
        return body.toString();
    }

    private static double sum(JsonNode scores) {
        double sum = 0;
        for (JsonNode score : scores) {
            sum += score.doubleValue();
        }
        return sum;
    }

    private static JsonNode ok(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return RunningServer.json(response);
    }
}
