package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.kernel.Compute;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Words for masks, by a real server. */
final class FillMaskTest {
    private static final String TEXT = "The plot was [MASK] and the acting worse.";

    @TempDir
    private static Path folder = Path.of("");

    private static RunningServer running;

    @BeforeAll
    static void serve() {
        Path checkpoint = RunningServer.resource("/io/gatun/golden/distilbert-uncased/fill-mask");
        running = new RunningServer(Compute.F32, Map.of("words", RunningServer.convert(folder, "words", checkpoint)));
    }

    @AfterAll
    static void close() {
        running.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/fill_mask", "/models/words", "/models/words/pipeline/fill-mask", "/"})
    void everyRouteOfPipelines(String path) {
        JsonNode answer = ok(path, body(TEXT, "{}"));
        assertThat(answer).hasSize(5);
        JsonNode best = answer.get(0);
        assertThat(best.properties())
                .extracting(Map.Entry::getKey)
                .containsExactly("score", "token", "token_str", "sequence");
        assertThat(best.get("sequence").textValue())
                .startsWith("the plot was")
                .contains(best.get("token_str").textValue().replace("##", ""))
                .endsWith("and the acting worse.");
    }

    @Test
    void severalMasksNestAndTheOthersAreSeen() {
        JsonNode answer = ok("/fill_mask", body("[MASK] was [MASK]", "{\"top_k\":2}"));
        assertThat(answer).hasSize(2);
        for (JsonNode mask : answer) {
            assertThat(mask).hasSize(2);
            assertThat(mask.get(0).get("sequence").textValue())
                    .startsWith("[CLS]")
                    .contains("[MASK]")
                    .endsWith("[SEP]");
        }
    }

    @Test
    void aBatchHasTheAnswersOfItsTexts() {
        String other = "\ud83c\udf89\ud83c\udf89 [MASK] \u0644\u064a\u0644\u0649";
        JsonNode batch = ok("/fill_mask", body(List.of(TEXT, other, "[MASK] [MASK]"), "{}"));
        assertThat(batch).hasSize(3);
        assertThat(batch.get(0)).isEqualTo(ok("/fill_mask", body(TEXT, "{}")));
        assertThat(batch.get(1)).isEqualTo(ok("/fill_mask", body(other, "{}")));
        assertThat(batch.get(2)).isEqualTo(ok("/fill_mask", body("[MASK] [MASK]", "{}")));
        assertThat(ok("/fill_mask", body(List.of(TEXT), "{}"))).isEqualTo(batch.get(0));
    }

    @Test
    void sixtyFourMasksAndAHundredTextsOfThem() {
        assertThat(ok("/fill_mask", body("[MASK] ".repeat(64), "{\"top_k\":1}")))
                .hasSize(64);
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            texts.add("[MASK] ".repeat(1 + i % 64) + i);
        }
        JsonNode answer = ok("/fill_mask", body(texts, "{\"top_k\":1}"));
        for (int i = 0; i < 100; i++) {
            assertThat(answer.get(i)).hasSize(1 + i % 64);
            assertThat(answer.get(i)).isEqualTo(ok("/fill_mask", body(texts.get(i), "{\"top_k\":1}")));
        }
    }

    @Test
    void targetsAreTokensOrBecomeTheirFirst() {
        JsonNode answer = ok(
                "/fill_mask",
                body(TEXT, "{\"targets\":[\"film\",\"FILM\",\" film \",\"xylophonist\",\"\"],\"top_k\":9}"));
        assertThat(answer).extracting(fill -> fill.get("token_str").textValue()).containsExactlyInAnyOrder("film", "x");
        JsonNode all = ok("/fill_mask", body(TEXT, "{\"top_k\":720}"));
        assertThat(all).hasSize(720);
        for (JsonNode fill : answer) {
            assertThat(all).contains(fill);
        }
        double sum = 0;
        for (JsonNode fill : all) {
            sum += fill.get("score").doubleValue();
        }
        assertThat(sum).isCloseTo(1, within(1e-4));
    }

    @Test
    void aLongTextIsCutIfThatIsAskedFor() {
        String text = TEXT + " and so on".repeat(200);
        assertThat(running.post("/fill_mask", body(text, "{}")).statusCode()).isEqualTo(422);
        assertThat(ok("/fill_mask", body(text, "{\"tokenizer_kwargs\":{\"truncation\":true}}")))
                .hasSize(5);
        assertThat(ok("/fill_mask", body(text, "{\"truncate\":true}"))).hasSize(5);
        HttpResponse<String> cutOff =
                running.post("/fill_mask", body("so on ".repeat(200) + "[MASK]", "{\"truncate\":true}"));
        assertThat(cutOff.statusCode()).isEqualTo(422);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a | {} | has no mask; write [MASK]",
                "[mask] | {} | has no mask",
                "[MASK] | {\"top_k\":0} | \"top_k\" must be above 0",
                "[MASK] | {\"top_k\":721} | more than the 720 tokens",
                "[MASK] | {\"top_k\":\"5\"} | \"top_k\" must be a whole number",
                "[MASK] | {\"targets\":[]} | \"targets\" is empty",
                "[MASK] | {\"targets\":[\"\",\" \"]} | None of the \"targets\"",
                "[MASK] | {\"targets\":[1]} | targets[0] must be a text",
                "[MASK] | {\"targets\":7} | \"targets\" must be a list of texts",
                "[MASK] | {\"head\":\"absent\"} | no head of that name"
            })
    void whatIsWrongIsSaid(String text, String parameters, String what) {
        HttpResponse<String> response = running.post("/fill_mask", body(text, parameters));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(422);
        assertThat(RunningServer.json(response).get("error").textValue()).contains(what);
    }

    @Test
    void tooManyMasksAndTooLongAnAnswer() {
        HttpResponse<String> masks = running.post("/fill_mask", body("[MASK] ".repeat(65), "{}"));
        assertThat(masks.statusCode()).isEqualTo(422);
        assertThat(masks.body()).contains("65 masks, more than the limit of 64");
        HttpResponse<String> answer = running.post(
                "/fill_mask", body(List.of("[MASK] ".repeat(64), "[MASK] ".repeat(64)), "{\"top_k\":720}"));
        assertThat(answer.statusCode()).isEqualTo(422);
        assertThat(answer.body()).contains("smaller \\\"top_k\\\"");
        assertThat(running.post("/fill_mask", body(List.of(), "{}")).statusCode())
                .isEqualTo(400);
        HttpResponse<String> second = running.post("/fill_mask", body(List.of(TEXT, "none"), "{}"));
        assertThat(second.body()).contains("inputs[1] has no mask");
    }

    @Test
    void tensors() {
        JsonNode metadata = RunningServer.json(running.get("/v2/models/words"));
        assertThat(metadata.get("outputs").findValuesAsText("name")).containsExactly("words", "embedding");
        JsonNode answer = ok(
                "/v2/models/words/infer",
                "{\"inputs\":[{\"name\":\"text\",\"datatype\":\"BYTES\",\"shape\":[2],\"data\":[\"" + TEXT
                        + "\",\"[MASK] [MASK]\"]}],\"parameters\":{\"top_k\":2,\"targets\":\"film, train,spring\"}}");
        JsonNode output = answer.at("/outputs/0");
        assertThat(output.get("name").textValue()).isEqualTo("words");
        String parameters = "{\"top_k\":2,\"targets\":[\"film\",\"train\",\"spring\"]}";
        assertThat(RunningServer.json(output.at("/data/0").textValue()))
                .isEqualTo(ok("/fill_mask", body(TEXT, parameters)));
        assertThat(RunningServer.json(output.at("/data/1").textValue()))
                .isEqualTo(ok("/fill_mask", body("[MASK] [MASK]", parameters)));
    }

    private static String body(Object inputs, String parameters) {
        ObjectNode body = RunningServer.MAPPER.createObjectNode();
        body.set("inputs", RunningServer.MAPPER.valueToTree(inputs));
        body.set("parameters", RunningServer.json(parameters));
        return body.toString();
    }

    private static JsonNode ok(String path, String body) {
        HttpResponse<String> response = running.post(path, body);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return RunningServer.json(response);
    }
}
