package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.kernel.Compute;
import io.gatun.model.ModelSource;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Entities and toxic passages of the default model. */
@Timeout(300)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class TokenClassificationTest {
    private static final String NAMES = "Angela Merkel met Tim Cook of Apple in Berlin.";
    private static final String GROUPED = "\"aggregation_strategy\":\"simple\"";

    private final RunningServer running = new RunningServer(Compute.INT8, Map.of("default", ModelSource.embedded()));

    @AfterAll
    void close() {
        running.close();
    }

    @Test
    void names() {
        JsonNode entities = ner(NAMES, GROUPED);
        assertThat(spans(NAMES, entities))
                .containsExactly("PER Angela Merkel", "PER Tim Cook", "ORG Apple", "LOC Berlin");
        JsonNode first = entities.get(0);
        assertThat(first.properties().stream().map(Map.Entry::getKey))
                .containsExactly("entity_group", "score", "word", "start", "end");
        assertThat(first.get("word").textValue()).isEqualTo("angela merkel");
        JsonNode tokens = ner(NAMES, "");
        assertThat(tokens.get(0).properties().stream().map(Map.Entry::getKey))
                .containsExactly("entity", "score", "index", "word", "start", "end");
        assertThat(tokens.findValuesAsText("entity"))
                .startsWith("B-PER", "I-PER")
                .doesNotContain("O");
        assertThat(tokens.get(0).get("index").intValue()).isEqualTo(1);
    }

    @Test
    void toxicPassagesAreOfAnotherHead() {
        String text = "Thanks for the link. You are a stupid idiot, go away.";
        for (String place : List.of(
                "{\"inputs\":%s,\"head\":\"toxicity\",\"parameters\":{%s}}",
                "{\"inputs\":%s,\"parameters\":{\"head\":\"toxicity\",%s}}")) {
            JsonNode spans = ok(running.post("/ner", place.formatted(quoted(text), GROUPED)));
            assertThat(spans(text, spans)).containsExactly("TOXIC stupid idiot");
        }
    }

    /** A client of Hugging Face's posts to a model, or to the pipeline of a task. */
    @Test
    void everyDoorGivesTheSame() {
        JsonNode expected = ner(NAMES, GROUPED);
        String body = "{\"inputs\":%s,\"parameters\":{%s}}".formatted(quoted(NAMES), GROUPED);
        for (String path : List.of("/", "/models/default", "/models/default/pipeline/token-classification")) {
            assertThat(ok(running.post(path, body))).as(path).isEqualTo(expected);
        }
        String toxicity = "{\"inputs\":%s,\"parameters\":{\"head\":\"toxicity\"}}".formatted(quoted(NAMES));
        assertThat(ok(running.post("/models/default", toxicity))).isEqualTo(ok(running.post("/ner", toxicity)));
    }

    @Test
    void offsetsAreCodePoints() {
        String text = "😀 \u202bשלום\u202c 👨‍👩‍👧 Angela Merkel 🎉 lives in Berlin";
        assertThat(spans(text, ner(text, GROUPED))).containsExactly("PER Angela Merkel", "LOC Berlin");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "   \\n ", "\\u200b\\u0000"})
    void aTextWithoutWords(String text) {
        for (String parameters : List.of("", GROUPED, GROUPED + ",\"stride\":0")) {
            String body = "{\"inputs\":\"%s\",\"parameters\":{%s}}".formatted(text, parameters);
            assertThat(ok(running.post("/ner", body))).isEmpty();
        }
    }

    @Test
    void aBatchIsAListOfLists() {
        List<String> texts = List.of(NAMES, "", "Nothing to see here.", "IBM is in New York", NAMES);
        ObjectNode body = RunningServer.MAPPER.createObjectNode();
        texts.forEach(body.putArray("inputs")::add);
        body.putObject("parameters").put("aggregation_strategy", "average");
        JsonNode batch = ok(running.post("/ner", body.toString()));
        assertThat(batch).hasSize(texts.size());
        for (int i = 0; i < texts.size(); i++) {
            assertThat(batch.get(i))
                    .as(texts.get(i))
                    .isEqualTo(ner(texts.get(i), "\"aggregation_strategy\":\"average\""));
        }
        assertThat(ok(running.post("/ner", "{\"inputs\":[\"Berlin\"]}"))
                        .get(0)
                        .get(0)
                        .get("word")
                        .textValue())
                .isEqualTo("berlin");
    }

    @Test
    void aThresholdLeavesTheSurer() {
        JsonNode all = ner(NAMES, GROUPED + ",\"ignore_labels\":[]");
        double least = all.findValues("score").stream()
                .mapToDouble(JsonNode::floatValue)
                .min()
                .orElseThrow();
        JsonNode some = ner(NAMES, GROUPED + ",\"ignore_labels\":[],\"threshold\":" + (least + 1e-4));
        assertThat(some.size()).isPositive().isLessThan(all.size());
        assertThat(some.findValues("score")).allMatch(score -> score.floatValue() > least);
        assertThat(ner(NAMES, GROUPED + ",\"ignore_labels\":[],\"threshold\":" + (float) least))
                .isEqualTo(all);
        assertThat(ner(NAMES, GROUPED + ",\"ignore_labels\":[],\"threshold\":1"))
                .isEmpty();
    }

    @Test
    void aLongTextNeedsAStrideOrIsCut() {
        String text = "We met nobody there. ".repeat(200) + "Angela Merkel lives in Berlin";
        String body = "{\"inputs\":%s,\"parameters\":{%s}%s}";
        HttpResponse<String> refused = running.post("/ner", body.formatted(quoted(text), GROUPED, ""));
        assertThat(refused.statusCode()).isEqualTo(422);
        assertThat(RunningServer.json(refused).get("error").textValue()).contains("limit of 512", "\"stride\"");
        assertThat(ok(running.post("/ner", body.formatted(quoted(text), GROUPED, ",\"truncate\":true"))))
                .isEmpty();
        String left = ",\"truncate\":true,\"truncation_direction\":\"left\"";
        for (JsonNode answer : List.of(
                ok(running.post("/ner", body.formatted(quoted(text), GROUPED, left))),
                ner(text, GROUPED + ",\"stride\":0"),
                ner(text, GROUPED + ",\"stride\":128"))) {
            assertThat(spans(text, answer)).containsExactly("PER Angela Merkel", "LOC Berlin");
        }
    }

    /** Each window ends at another place, so that names are cut at some edges; what they share mends them. */
    @Test
    void aNameAtAnEdge() {
        for (int words = 505; words < 512; words++) {
            String text = "word ".repeat(words) + ". Then Angela Merkel came to Berlin.";
            assertThat(spans(text, ner(text, GROUPED + ",\"stride\":64")))
                    .as(words + " words")
                    .contains("PER Angela Merkel", "LOC Berlin")
                    .doesNotContain("PER Angela", "PER Merkel");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"aggregation_strategy\":\"most\" | \"average\"",
                "\"aggregation_strategy\":1 | aggregation_strategy",
                "\"ignore_labels\":\"O\" | ignore_labels",
                "\"ignore_labels\":[null] | ignore_labels",
                "\"threshold\":1.5 | threshold",
                "\"threshold\":\"a\" | threshold",
                "\"aggregation_strategy\":\"simple\",\"stride\":-1 | stride",
                "\"aggregation_strategy\":\"simple\",\"stride\":510 | from 0 to 509",
                "\"aggregation_strategy\":\"simple\",\"stride\":100000 | from 0 to 509",
                "\"aggregation_strategy\":\"none\",\"stride\":8 | stride",
                "\"head\":\"sentiment\" | token-classification",
                "\"head\":\"none\" | no head of that name",
                "\"is_split_into_words\":true | is_split_into_words"
            })
    void wrongParameters(String parameters, String says) {
        HttpResponse<String> response =
                running.post("/ner", "{\"inputs\":\"a text\",\"parameters\":{" + parameters + "}}");
        assertThat(response.statusCode()).as(response.body()).isEqualTo(422);
        assertThat(RunningServer.json(response).get("error").textValue()).contains(says);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"{} | 422", "{\"inputs\":[]} | 400", "{\"inputs\":[1]} | 422", "{\"inputs\":{\"a\":1}} | 422"})
    void wrongInputs(String body, int status) {
        assertThat(running.post("/ner", body).statusCode()).isEqualTo(status);
    }

    @Test
    void aStrideThatMakesTooMuchWork() {
        String text = "\"" + "word ".repeat(5000) + "\"";
        HttpResponse<String> response =
                running.post("/ner", "{\"inputs\":" + text + ",\"parameters\":{" + GROUPED + ",\"stride\":509}}");
        assertThat(response.statusCode()).isEqualTo(422);
        assertThat(RunningServer.json(response).get("error").textValue()).contains("smaller stride");
    }

    private JsonNode ner(String text, String parameters) {
        return ok(running.post("/ner", "{\"inputs\":%s,\"parameters\":{%s}}".formatted(quoted(text), parameters)));
    }

    private static String quoted(String text) {
        return RunningServer.MAPPER.getNodeFactory().textNode(text).toString();
    }

    private static List<String> spans(String text, JsonNode entities) {
        return StreamSupport.stream(entities.spliterator(), false)
                .map(entity -> entity.get("entity_group").textValue() + " "
                        + text.substring(
                                text.offsetByCodePoints(0, entity.get("start").intValue()),
                                text.offsetByCodePoints(0, entity.get("end").intValue())))
                .toList();
    }

    private static JsonNode ok(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return RunningServer.json(response);
    }
}
