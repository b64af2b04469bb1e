package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The Open Inference Protocol over HTTP. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class InferenceRoutesTest {
    private static final String ONE = """
            {"id":"7","inputs":[{"name":"text","datatype":"BYTES","shape":[2],"data":["a text","b"]}]%s}""";

    private final RunningServer running = new RunningServer();

    @AfterAll
    void close() {
        running.close();
    }

    @Test
    void plainTensors() {
        JsonNode answer = ok(running.post("/v2/models/small/infer", ONE.formatted("")));
        assertThat(answer.get("id").textValue()).isEqualTo("7");
        assertThat(answer.get("model_name").textValue()).isEqualTo("small");
        JsonNode logits = answer.at("/outputs/0");
        assertThat(logits.get("name").textValue()).isEqualTo("logits");
        assertThat(logits.get("shape").toString()).isEqualTo("[2,3]");
        JsonNode raw = ok(running.post("/predict", "{\"inputs\":\"a text\",\"raw_scores\":true}"));
        JsonNode best = raw.get(0);
        assertThat(logits.get("data")).contains(best.get("score"));
        assertThat(answer.at("/outputs/1/data/0")).isEqualTo(best.get("label"));
        assertThat(ok(running.post("/v2/models/small/versions/1/infer", ONE.formatted("")))
                        .get("outputs"))
                .isEqualTo(answer.get("outputs"));
    }

    @Test
    void binaryTensors() throws IOException {
        byte[] tensor = strings("a text", "b");
        String json = """
                {"inputs":[{"name":"text","datatype":"BYTES","shape":[2],"parameters":{"binary_data_size":%d}}],
                "parameters":{"binary_data_output":true}}""".formatted(tensor.length);
        HttpResponse<byte[]> response = binary(json, tensor);
        assertThat(response.statusCode()).isEqualTo(200);
        int length = Integer.parseInt(
                response.headers().firstValue(TensorBody.JSON_LENGTH).orElseThrow());
        JsonNode answer = RunningServer.json(new String(response.body(), 0, length, StandardCharsets.UTF_8));
        assertThat(answer.at("/outputs/0/parameters/binary_data_size").intValue())
                .isEqualTo(24);
        ByteBuffer bytes = ByteBuffer.wrap(response.body(), length, response.body().length - length)
                .order(ByteOrder.LITTLE_ENDIAN);
        JsonNode plain = ok(running.post("/v2/models/small/infer", ONE.formatted("")));
        for (JsonNode value : plain.at("/outputs/0/data")) {
            assertThat(bytes.getFloat()).isEqualTo(value.floatValue());
        }
        for (JsonNode label : plain.at("/outputs/1/data")) {
            byte[] text = new byte[bytes.getInt()];
            bytes.get(text);
            assertThat(new String(text, StandardCharsets.UTF_8)).isEqualTo(label.textValue());
        }
        assertThat(bytes.hasRemaining()).isFalse();
    }

    @Test
    void onlyTheOutputsThatAreWanted() {
        JsonNode answer = ok(running.post(
                "/v2/models/small/infer",
                ONE.formatted(",\"outputs\":[{\"name\":\"embedding\"},{\"name\":\"label\"}],"
                        + "\"parameters\":{\"head\":\"topics\"}")));
        assertThat(answer.get("outputs").findValuesAsText("name")).containsExactly("embedding", "label");
        JsonNode vectors = ok(running.post("/embed", "{\"inputs\":[\"a text\",\"b\"]}"));
        assertThat(answer.at("/outputs/0/data/0")).isEqualTo(vectors.get(0).get(0));
        assertThat(answer.at("/outputs/1/data/0"))
                .isEqualTo(ok(running.post("/predict", "{\"inputs\":\"a text\",\"head\":\"topics\"}"))
                        .get(0)
                        .get("label"));
    }

    @Test
    void entitiesAreJson() {
        assertThat(ok(running.get("/v2/models/tags")).get("outputs").findValuesAsText("name"))
                .containsExactly("entities", "embedding");
        JsonNode usual = ok(running.post("/v2/models/tags/infer", ONE.formatted("")));
        assertThat(usual.at("/outputs/0/name").textValue()).isEqualTo("entities");
        assertThat(usual.at("/outputs/0/shape").toString()).isEqualTo("[2]");
        assertThat(RunningServer.json(usual.at("/outputs/0/data/0").textValue()))
                .isEqualTo(ok(running.post("/ner", "{\"inputs\":\"a text\",\"model\":\"tags\"}")));
        JsonNode told = ok(running.post(
                "/v2/models/small/infer",
                ONE.formatted(",\"parameters\":{\"head\":\"entities\",\"aggregation_strategy\":\"max\","
                        + "\"ignore_labels\":\"O, LOC\",\"threshold\":0.1,\"stride\":2}")));
        JsonNode expected = ok(running.post(
                "/ner",
                "{\"inputs\":[\"a text\",\"b\"],\"parameters\":{\"head\":\"entities\",\"aggregation_strategy\":\"max\","
                        + "\"ignore_labels\":[\"O\",\"LOC\"],\"threshold\":0.1,\"stride\":2}}"));
        for (int i = 0; i < 2; i++) {
            assertThat(RunningServer.json(told.at("/outputs/0/data/" + i).textValue()))
                    .isEqualTo(expected.get(i));
        }
        JsonNode both = ok(running.post(
                "/v2/models/small/infer",
                ONE.formatted(",\"outputs\":[{\"name\":\"entities\"},{\"name\":\"label\"}]")));
        assertThat(both.get("outputs").findValuesAsText("name")).containsExactly("entities", "label");
        assertThat(running.post(
                                "/v2/models/small/infer",
                                ONE.formatted(",\"parameters\":{\"head\":\"entities\",\"stride\":\"2\"}"))
                        .statusCode())
                .isEqualTo(422);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{} | 422 | inputs",
                "{\"inputs\":[]} | 400 | text",
                "{\"inputs\":[{}]} | 422 | name",
                "{\"inputs\":[{\"name\":\"text\"}]} | 422 | datatype",
                "{\"inputs\":[{\"name\":\"text\",\"datatype\":\"BYTES\"}]} | 422 | shape",
                "{\"inputs\":[{\"name\":\"text\",\"datatype\":\"BYTES\",\"shape\":[-1],\"data\":[\"a\"]}]} | 422 | shape",
                "{\"inputs\":[{\"name\":\"text\",\"datatype\":\"BYTES\",\"shape\":[2],\"data\":[\"a\"]}]} | 422 | shape",
                "{\"inputs\":[{\"name\":\"text\",\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[1]}]} | 422 | texts",
                "{\"inputs\":[{\"name\":\"text\",\"datatype\":\"FP32\",\"shape\":[1],\"data\":[\"a\"]}]} | 422 | BYTES",
                "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[\"a\"]}]} | 422 | no input",
                "{\"inputs\":[{\"name\":\"text\",\"datatype\":\"BYTES\",\"shape\":[1],\"parameters\":{\"binary_data_size\":9}}]} | 400 | 9 bytes",
                "nonsense | 422 | JSON"
            })
    void wrongTensors(String body, int status, String says) {
        HttpResponse<String> response = running.post("/v2/models/small/infer", body);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(RunningServer.json(response).get("error").textValue()).contains(says);
    }

    @Test
    void wrongBinaryTensors() throws IOException {
        String json = "{\"inputs\":[{\"name\":\"text\",\"datatype\":\"BYTES\",\"shape\":[1],"
                + "\"parameters\":{\"binary_data_size\":%d}}]}";
        byte[] cut = Arrays.copyOf(strings("a text"), 8);
        assertThat(binary(json.formatted(cut.length), cut).statusCode()).isEqualTo(400);
        byte[] more = Arrays.copyOf(strings("a"), 9);
        assertThat(binary(json.formatted(5), more).statusCode()).isEqualTo(400);
        HttpRequest request = HttpRequest.newBuilder(running.uri("/v2/models/small/infer"))
                .header(TensorBody.JSON_LENGTH, "-1")
                .POST(HttpRequest.BodyPublishers.ofString(ONE.formatted("")))
                .build();
        assertThat(running.send(request).statusCode()).isEqualTo(400);
    }

    @Test
    void whatIsServed() {
        assertThat(ok(running.get("/v2")).get("extensions")).isNotEmpty();
        assertThat(ok(running.get("/v2/health/live")).get("live").booleanValue())
                .isTrue();
        assertThat(ok(running.get("/v2/health/ready")).get("ready").booleanValue())
                .isTrue();
        assertThat(ok(running.get("/v2/models/small")).get("inputs").findValuesAsText("name"))
                .containsExactly("text", "text_pair");
        assertThat(ok(running.get("/v2/models/small/config"))
                        .at("/output/0/data_type")
                        .textValue())
                .isEqualTo("TYPE_FP32");
        assertThat(ok(running.get("/v2/models/small/ready")).get("ready").booleanValue())
                .isTrue();
        ok(running.post("/v2/models/small/infer", ONE.formatted("")));
        assertThat(ok(running.get("/v2/models/small/stats"))
                        .at("/model_stats/0/inference_stats/success/count")
                        .intValue())
                .isPositive();
        assertThat(ok(running.get("/v2/models/stats")).get("model_stats")).hasSize(2);
        assertThat(running.get("/v2/models/none").statusCode()).isEqualTo(404);
        assertThat(running.get("/v2/models/none/ready").statusCode()).isEqualTo(404);
        assertThat(running.get("/v2/models/small/versions/2").statusCode()).isEqualTo(404);
    }

    @Test
    void modelsComeAndGo() {
        try (RunningServer own = new RunningServer()) {
            String body = "{\"inputs\":\"a text\",\"model\":\"small\"}";
            JsonNode before = ok(own.post("/predict", body));
            assertThat(own.post("/v2/repository/models/none/load", "").statusCode())
                    .isEqualTo(404);
            ok(own.post("/v2/repository/models/small/unload", ""));
            assertThat(own.post("/predict", body).statusCode()).isEqualTo(422);
            assertThat(own.get("/v2/models/small/ready").statusCode()).isEqualTo(404);
            assertThat(own.post("/v2/repository/models/small/load", "nonsense").statusCode())
                    .isEqualTo(422);
            assertThat(ok(own.post("/v2/repository/index", "")).findValuesAsText("state"))
                    .containsExactly("UNAVAILABLE", "READY");
            assertThat(ok(own.post("/v2/repository/index", "{\"ready\":true}")).findValuesAsText("name"))
                    .containsExactly("tags");
            ok(own.post("/v2/repository/models/small/load", "{}"));
            assertThat(ok(own.post("/predict", body))).isEqualTo(before);
            ok(own.post("/v2/repository/models/small/load", "{}"));
            assertThat(ok(own.post("/predict", body))).isEqualTo(before);
        }
    }

    private static byte[] strings(String... texts) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (String text : texts) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            bytes.writeBytes(ByteBuffer.allocate(4)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(utf8.length)
                    .array());
            bytes.writeBytes(utf8);
        }
        return bytes.toByteArray();
    }

    private HttpResponse<byte[]> binary(String json, byte[] tensor) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        body.writeBytes(json.getBytes(StandardCharsets.UTF_8));
        body.writeBytes(tensor);
        try {
            return running.client.send(
                    HttpRequest.newBuilder(running.uri("/v2/models/small/infer"))
                            .header(TensorBody.JSON_LENGTH, Integer.toString(body.size() - tensor.length))
                            .POST(HttpRequest.BodyPublishers.ofByteArray(body.toByteArray()))
                            .build(),
                    HttpResponse.BodyHandlers.ofByteArray());
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static JsonNode ok(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return RunningServer.json(response);
    }
}
