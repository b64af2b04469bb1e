package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What Hugging Face's clients and vLLM's users send. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class HuggingFaceTest {
    private final RunningServer running = new RunningServer();

    @AfterAll
    void close() {
        running.close();
    }

    @Test
    void oneTextIsAnsweredWithAListOfLists() {
        JsonNode predicted = ok(running.post("/predict", "{\"inputs\":\"a text\"}"));
        for (String path :
                new String[] {"/predict", "/", "/models/small", "/models/small/pipeline/text-classification"}) {
            JsonNode answer = ok(running.post(path, "{\"inputs\":\"a text\",\"parameters\":{}}"));
            assertThat(answer).as(path).hasSize(1);
            assertThat(answer.get(0)).as(path).isEqualTo(predicted);
        }
        JsonNode two = ok(running.post("/models/small", "{\"inputs\":[\"a text\",\"b\"]}"));
        assertThat(two).hasSize(2);
        assertThat(two.get(0)).isEqualTo(predicted);
    }

    @Test
    void parameters() {
        JsonNode best = ok(running.post("/models/small", "{\"inputs\":\"a\",\"parameters\":{\"top_k\":1}}"));
        assertThat(best.get(0)).hasSize(1);
        JsonNode raw =
                ok(running.post("/models/small", "{\"inputs\":\"a\",\"parameters\":{\"function_to_apply\":\"none\"}}"));
        assertThat(raw.get(0)).isEqualTo(ok(running.post("/predict", "{\"inputs\":\"a\",\"raw_scores\":true}")));
        JsonNode topics = ok(running.post("/models/small", "{\"inputs\":\"a\",\"parameters\":{\"head\":\"topics\"}}"));
        assertThat(topics.get(0)).isEqualTo(ok(running.post("/predict", "{\"inputs\":\"a\",\"head\":\"topics\"}")));
        assertThat(running.post("/models/small", "{\"inputs\":\"a\",\"parameters\":{\"top_k\":0}}")
                        .statusCode())
                .isEqualTo(422);
    }

    @Test
    void featuresAndSimilarity() {
        JsonNode vector = ok(running.post("/embed", "{\"inputs\":\"a text\"}"));
        assertThat(ok(running.post("/", "{\"inputs\":\"a text\"}"))).isEqualTo(vector);
        assertThat(ok(running.post("/models/small/pipeline/feature-extraction", "{\"inputs\":\"a text\"}")))
                .isEqualTo(vector);
        assertThat(ok(running.post("/models/small", "{\"inputs\":\"a text\",\"normalize\":true}")))
                .isEqualTo(vector);
        String pair = "{\"inputs\":{\"source_sentence\":\"a\",\"sentences\":[\"b\",\"a\"]},\"parameters\":{}}";
        JsonNode cosines = ok(running.post("/similarity", pair));
        assertThat(cosines).hasSize(2);
        assertThat(ok(running.post("/", pair))).isEqualTo(cosines);
        assertThat(ok(running.post("/models/small/pipeline/sentence-similarity", pair)))
                .isEqualTo(cosines);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"/models/small/pipeline/translation | {\"inputs\":\"a\"} | translation"})
    void tasksThatNoModelIsServedFor(String path, String body, String task) {
        HttpResponse<String> response = running.post(path, body);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(422);
        assertThat(RunningServer.json(response).get("error").textValue())
                .contains(task, "it does feature-extraction", "text-classification", "token-classification");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/fill_mask | {\"inputs\":\"a\"} | fill-mask",
                "/qa | {\"inputs\":{\"question\":\"a\",\"context\":\"b\"}} | question-answering",
                "/ | {\"inputs\":{\"question\":\"a\",\"context\":\"b\"}} | question-answering",
                "/models/small/pipeline/fill-mask | {\"inputs\":\"a\"} | fill-mask",
                "/models/small | {\"inputs\":\"a\",\"parameters\":{\"candidate_labels\":[\"b\"]}} | zero-shot-classification"
            })
    void tasksThatTheModelHasNoHeadFor(String path, String body, String task) {
        HttpResponse<String> response = running.post(path, body);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(422);
        assertThat(RunningServer.json(response).get("error").textValue())
                .contains("no head for " + task, "text-classification");
    }

    @Test
    void pairsAreAnsweredAsThePipelineDoes() {
        String pair = "{\"text\":\"a text\",\"text_pair\":\"b\"}";
        JsonNode scores = ok(running.post("/predict", "{\"inputs\":[\"a text\",\"b\"]}"));
        assertThat(ok(running.post("/models/small", "{\"inputs\":" + pair + "}")))
                .isEqualTo(scores.get(0));
        String all = ",\"parameters\":{\"top_k\":null}}";
        assertThat(ok(running.post("/models/small", "{\"inputs\":" + pair + all)))
                .isEqualTo(scores);
        JsonNode alone = ok(running.post("/predict", "{\"inputs\":\"a text\"}"));
        String batch = "{\"inputs\":[" + pair + ",{\"text\":\"a text\"}]";
        JsonNode best = ok(running.post("/models/small", batch + "}"));
        assertThat(best).containsExactly(scores.get(0), alone.get(0));
        assertThat(ok(running.post("/models/small", batch + all))).containsExactly(scores, alone);
        assertThat(running.post("/models/small", "{\"inputs\":{\"text_pair\":\"b\"}}")
                        .body())
                .contains("inputs.text must be a text, not null; send a text, a pair");
    }

    @Test
    void aModelThatIsNotThere() {
        assertThat(running.post("/models/none", "{\"inputs\":\"a\"}").statusCode())
                .isEqualTo(404);
        assertThat(running.get("/v1/models/none").statusCode()).isEqualTo(404);
        assertThat(ok(running.get("/v1/models/tags")).get("id").textValue()).isEqualTo("tags");
        assertThat(ok(running.get("/v1/models")).get("data").findValuesAsText("id"))
                .containsExactly("small", "tags");
    }

    @Test
    void classesOfVllm() {
        JsonNode answer = ok(running.post("/classify", "{\"input\":[\"a text\",\"b\"],\"model\":\"small\"}"));
        JsonNode first = answer.at("/data/0");
        JsonNode scores = ok(running.post("/predict", "{\"inputs\":\"a text\"}"));
        assertThat(first.get("label")).isEqualTo(scores.get(0).get("label"));
        assertThat(first.get("num_classes").intValue())
                .isEqualTo(first.get("probs").size());
        assertThat(first.get("probs")).contains(scores.get(0).get("score"));
        assertThat(answer.get("data")).hasSize(2);
    }

    private static JsonNode ok(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return RunningServer.json(response);
    }
}
