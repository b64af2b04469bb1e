package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.golden.GoldenCase;
import io.gatun.golden.GoldenModels;
import io.gatun.kernel.Compute;
import io.gatun.model.ModelSource;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Texts of any length, window by window. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
final class DocumentsTest {
    private static final List<String> LABELS = List.of("NEGATIVE", "NEUTRAL", "POSITIVE");
    private static final String SENTENCE = "The march \uD83D\uDE00 went on, and nobody was hurt. ";

    private final RunningServer running = new RunningServer();

    @AfterAll
    void close() {
        running.close();
    }

    @ParameterizedTest
    @CsvSource({
        "distilbert-uncased, F32, 1e-4",
        "distilbert-cased, F32, 1e-4",
        "bert-uncased, F32, 1e-4",
        "distilbert-uncased, INT8, 2e-2",
        "distilbert-cased, INT8, 2e-2",
        "bert-uncased, INT8, 2e-2"
    })
    void everyWindowIsWhereHuggingFacesTokenizerCutsItAndSaysWhatItsModelSays(
            String name, Compute compute, double tolerance, @TempDir Path folder) {
        ModelSource model = ModelSource.file(GoldenModels.convert(name, "text-classification", folder));
        try (RunningServer server = new RunningServer(compute, Map.of("golden", model))) {
            for (GoldenCase each : GoldenCase.of(name, "text-classification", "documents.jsonl")) {
                ObjectNode call = each.call().deepCopy();
                ((ObjectNode) call.get("parameters")).put("pooling", "windows").put("function_to_apply", "softmax");
                JsonNode windows =
                        ok(server.post("/models/golden", call.toString())).get(0);
                JsonNode spans = each.answer().get("spans");
                assertThat(windows).as(call.toString()).hasSize(spans.size());
                for (int i = 0; i < spans.size(); i++) {
                    assertThat(windows.get(i).get("start"))
                            .isEqualTo(spans.get(i).get(0));
                    assertThat(windows.get(i).get("end")).isEqualTo(spans.get(i).get(1));
                    if (compute == Compute.F32 || each.holdsInInt8()) {
                        assertScores(windows.get(i).get("scores"), each.answer().at("/windows/" + i), tolerance);
                    }
                }
            }
        }
    }

    private static void assertScores(JsonNode scores, JsonNode logits, double tolerance) {
        double sum = 0;
        for (JsonNode logit : logits) {
            sum += Math.exp(logit.doubleValue());
        }
        assertThat(scores).hasSize(logits.size());
        for (int label = 0; label < logits.size(); label++) {
            assertThat(score(scores, LABELS.get(label)))
                    .isCloseTo(Math.exp(logits.get(label).doubleValue()) / sum, within(tolerance));
        }
    }

    @ParameterizedTest
    @CsvSource({"mean", "max", "first"})
    void theVerdictIsPooledFromTheWindowsScores(String pooling) {
        String text = SENTENCE.repeat(60);
        JsonNode windows = predict(text, "\"stride\":8,\"pooling\":\"windows\"");
        assertThat(windows.size()).isGreaterThan(3);
        JsonNode verdict = predict(text, "\"stride\":8,\"return_passage\":true,\"pooling\":\"" + pooling + "\"");
        String best = verdict.at("/passage/label").textValue();
        assertThat(verdict.at("/scores/0/label").textValue()).isEqualTo(best);
        int carrier = 0;
        for (JsonNode score : verdict.get("scores")) {
            String label = score.get("label").textValue();
            double pooled = score(windows.get(0).get("scores"), label);
            for (int i = 1; i < windows.size(); i++) {
                double more = score(windows.get(i).get("scores"), label);
                pooled = switch (pooling) {
                    case "mean" -> pooled + more;
                    case "max" -> Math.max(pooled, more);
                    default -> pooled;
                };
                boolean surer = more > score(windows.get(carrier).get("scores"), label);
                carrier = label.equals(best) && !pooling.equals("first") && surer ? i : carrier;
            }
            pooled /= pooling.equals("mean") ? windows.size() : 1;
            assertThat(score.get("score").doubleValue()).as(label).isCloseTo(pooled, within(1e-6));
        }
        JsonNode passage = verdict.get("passage");
        JsonNode carrying = windows.get(carrier);
        assertThat(passage.get("start")).isEqualTo(carrying.get("start"));
        assertThat(passage.get("end")).isEqualTo(carrying.get("end"));
        assertThat(passage.get("score").doubleValue()).isEqualTo(score(carrying.get("scores"), best));
        assertThat(passage.get("text").textValue())
                .isEqualTo(text.substring(
                        text.offsetByCodePoints(0, passage.get("start").intValue()),
                        text.offsetByCodePoints(0, passage.get("end").intValue())));
        assertThat(predict(text, "\"stride\":8,\"pooling\":\"" + pooling + "\""))
                .isEqualTo(verdict.get("scores"));
    }

    @Test
    void aShortTextIsOneWindowAndGivesTheSameBitsAsWithout() {
        JsonNode alone = ok(running.post("/predict", "{\"inputs\":\"a text\"}"));
        assertThat(predict("a text", "\"stride\":8")).isEqualTo(alone);
        JsonNode pipeline = ok(running.post("/models/small", "{\"inputs\":\"a text\",\"parameters\":{\"stride\":8}}"));
        assertThat(pipeline).hasSize(1);
        assertThat(pipeline.get(0)).isEqualTo(alone);
        assertThat(ok(running.post("/predict", "{\"inputs\":[[\"a text\"],[\"a text\"]],\"stride\":8}")))
                .hasSize(2)
                .allSatisfy(each -> assertThat(each).isEqualTo(alone));
        JsonNode empty = predict("", "\"stride\":8,\"return_passage\":true");
        assertThat(empty.at("/passage/end").intValue()).isZero();
        assertThat(empty.at("/passage/text").textValue()).isEmpty();
    }

    @Test
    void ofAPairTheSecondTextIsCutAndIsWhereThePassageIs() {
        String second = SENTENCE.repeat(40);
        JsonNode windows = ok(running.post(
                "/predict",
                RunningServer.MAPPER
                        .createObjectNode()
                        .put("pooling", "windows")
                        .put("stride", 4)
                        .put("return_passage", true)
                        .set(
                                "inputs",
                                RunningServer.MAPPER
                                        .createArrayNode()
                                        .add("who marched?")
                                        .add(second))
                        .toString()));
        assertThat(windows.size()).isGreaterThan(1);
        assertThat(windows.get(0).get("start").intValue()).isZero();
        assertThat(windows.get(0).get("text").textValue()).startsWith("The march");
        assertThat(windows.get(windows.size() - 1).get("text").textValue()).endsWith("hurt.");
    }

    @Test
    void aDocumentOfAHundredThousandWordsIsOneVerdict() {
        String text = "the march went on ".repeat(25_000);
        JsonNode verdict = predict(text, "\"stride\":0,\"return_passage\":true");
        assertThat(verdict.get("scores").size()).isGreaterThan(1);
        assertThat(verdict.at("/passage/end").intValue()).isPositive();
        JsonNode last = predict(text, "\"stride\":16,\"pooling\":\"windows\"");
        assertThat(last.get(last.size() - 1).get("end").intValue()).isEqualTo(text.length() - 1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"stride\":-1",
                "\"stride\":62,\"max_length\":64",
                "\"stride\":100000",
                "\"stride\":1.5",
                "\"stride\":\"8\"",
                "\"stride\":8,\"max_length\":2",
                "\"stride\":8,\"max_length\":10",
                "\"stride\":8,\"max_length\":100000",
                "\"stride\":8,\"max_length\":0",
                "\"pooling\":\"median\"",
                "\"pooling\":\"max\",\"return_passage\":1"
            })
    void whatMakesNoSenseIsSaid(String parameters) {
        for (String text : new String[] {"a text", SENTENCE.repeat(40)}) {
            HttpResponse<String> response = running.post("/predict", body(text, parameters));
            assertThat(response.statusCode()).as(response.body()).isEqualTo(422);
            assertThat(RunningServer.json(response).get("error_type").textValue())
                    .isEqualTo("Validation");
        }
    }

    @Test
    void windowsThatWouldNeverEndAreRefused() {
        HttpResponse<String> response =
                running.post("/predict", body(SENTENCE.repeat(5000), "\"stride\":61,\"max_length\":64"));
        assertThat(response.statusCode()).isEqualTo(422);
        assertThat(RunningServer.json(response).get("error").textValue()).contains("windows", "smaller stride");
    }

    private JsonNode predict(String text, String parameters) {
        return ok(running.post("/predict", body(text, parameters)));
    }

    private static String body(String text, String parameters) {
        return "{\"inputs\":" + RunningServer.MAPPER.getNodeFactory().textNode(text) + "," + parameters + "}";
    }

    private static double score(JsonNode scores, String label) {
        for (JsonNode score : scores) {
            if (score.get("label").textValue().equals(label)) {
                return score.get("score").doubleValue();
            }
        }
        throw new AssertionError(label);
    }

    private static JsonNode ok(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return RunningServer.json(response);
    }
}
