package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.gatun.kernel.Session;
import io.gatun.kernel.SessionLimits;
import io.gatun.model.ModelDescription;
import io.gatun.model.Pooling;
import io.gatun.service.Catalogue;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Vectors over every route that gives some, beside what the kernel gives. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class EmbedTest {
    private static final List<String> TEXTS = List.of("a text", "another, and longer", "\uD83D\uDE00 ok");

    private final RunningServer running = new RunningServer();

    @AfterAll
    void close() {
        running.close();
    }

    @Test
    void aTextsVectorIsItsFirstRowOrTheMeanOfAllAsTheFileSays() {
        for (String name : List.of("small", "tags")) {
            assertThat(description(name).pooling()).isEqualTo(name.equals("small") ? Pooling.CLS : Pooling.MEAN);
            JsonNode vectors = ok(running.post("/embed", body(TEXTS, ",\"model\":\"" + name + "\"")));
            assertThat(vectors).hasSize(TEXTS.size());
            for (int i = 0; i < TEXTS.size(); i++) {
                double[] pooled = pooled(name, TEXTS.get(i));
                double length = Math.sqrt(dot(pooled, pooled));
                for (int j = 0; j < pooled.length; j++) {
                    assertThat(vectors.get(i).get(j).doubleValue()).isCloseTo(pooled[j] / length, within(1e-6));
                }
            }
            assertThat(ok(running.post("/embed", "{\"inputs\":\"a text\",\"model\":\"" + name + "\"}"))
                            .get(0))
                    .isEqualTo(vectors.get(0));
        }
    }

    @Test
    void vectorsAsTheyAreAndShorter() {
        JsonNode whole =
                ok(running.post("/embed", body(TEXTS, ",\"normalize\":false"))).get(0);
        double[] mean = pooled("small", TEXTS.getFirst());
        assertThat(whole).hasSize(mean.length);
        assertThat(whole.get(3).doubleValue()).isCloseTo(mean[3], within(1e-6));
        JsonNode cut = ok(running.post("/embed", body(TEXTS, ",\"normalize\":false,\"dimensions\":5")))
                .get(0);
        assertThat(cut).hasSize(5);
        assertThat(cut.get(4)).isEqualTo(whole.get(4));
        JsonNode unit =
                ok(running.post("/embed", body(TEXTS, ",\"dimensions\":5"))).get(0);
        double[] values = doubles(unit);
        assertThat(dot(values, values)).isCloseTo(1, within(1e-6));
        for (String dimensions : List.of("0", "-1", "100000", "1.5", "\"5\"")) {
            HttpResponse<String> refused = running.post("/embed", body(TEXTS, ",\"dimensions\":" + dimensions));
            assertThat(refused.statusCode()).as(refused.body()).isEqualTo(422);
        }
    }

    @Test
    void everyPoolingAsTheRequestSays() {
        int width = description("small").embeddingLength();
        float[] states = states("small", TEXTS.get(1));
        int rows = states.length / width;
        JsonNode first = plain("cls");
        JsonNode last = plain("last");
        JsonNode mean = plain("mean");
        JsonNode max = plain("max");
        for (int j = 0; j < width; j++) {
            int column = j;
            double[] values = IntStream.range(0, rows)
                    .mapToDouble(row -> states[row * width + column])
                    .toArray();
            assertThat(first.get(j).floatValue()).isEqualTo((float) values[0]);
            assertThat(last.get(j).floatValue()).isEqualTo((float) values[rows - 1]);
            assertThat(max.get(j).floatValue())
                    .isEqualTo((float) Arrays.stream(values).max().orElseThrow());
            assertThat(mean.get(j).doubleValue())
                    .isCloseTo(Arrays.stream(values).average().orElseThrow(), within(1e-6));
        }
    }

    private JsonNode plain(String pooling) {
        return ok(running.post("/embed", body(TEXTS, ",\"normalize\":false,\"pooling\":\"" + pooling + "\"")))
                .get(1);
    }

    @Test
    void everyEncodingHoldsTheSameVector() {
        double[] floats = doubles(ok(running.post("/embed", body(TEXTS, ""))).get(1));
        for (String route : List.of("/embed", "/v1/embeddings")) {
            String at = route.equals("/embed") ? "/1" : "/data/1/embedding";
            ByteBuffer base64 = ByteBuffer.wrap(Base64.getDecoder()
                            .decode(encoded(route, "base64").at(at).textValue()))
                    .order(ByteOrder.LITTLE_ENDIAN);
            JsonNode int8 = encoded(route, "int8").at(at);
            JsonNode bits = encoded(route, "ubinary").at(at);
            assertThat(int8).hasSize(floats.length);
            assertThat(bits).hasSize(Math.ceilDiv(floats.length, 8));
            for (int i = 0; i < floats.length; i++) {
                assertThat(base64.getFloat()).isEqualTo((float) floats[i]);
                assertThat(int8.get(i).isIntegralNumber()).isTrue();
                assertThat(int8.get(i).intValue() / 127.0).isCloseTo(floats[i], within(0.5 / 127 + 1e-6));
                assertThat(bits.get(i / 8).intValue() >> (7 - i % 8) & 1).isEqualTo(floats[i] > 0 ? 1 : 0);
            }
        }
    }

    private JsonNode encoded(String route, String encoding) {
        String body = body(TEXTS, ",\"encoding_format\":\"" + encoding + "\"");
        return ok(running.post(route, route.equals("/embed") ? body : body.replace("inputs", "input")));
    }

    @Test
    void everyDistance() {
        double[] a = pooled("small", TEXTS.get(0));
        double[] b = pooled("small", TEXTS.get(1));
        double squares = 0;
        double differences = 0;
        for (int i = 0; i < a.length; i++) {
            squares += (a[i] - b[i]) * (a[i] - b[i]);
            differences += Math.abs(a[i] - b[i]);
        }
        assertThat(distance("\"distance\":\"cosine\"")).isEqualTo(distance(""));
        assertThat(distance("\"distance\":\"dot\"")).isCloseTo(dot(a, b), within(1e-4));
        assertThat(distance("\"distance\":\"euclidean\"")).isCloseTo(Math.sqrt(squares), within(1e-4));
        assertThat(distance("\"distance\":\"manhattan\"")).isCloseTo(differences, within(1e-4));
        assertThat(distance("\"distance\":\"dot\",\"normalize\":true")).isCloseTo(distance(""), within(1e-6));
        assertThat(distance("\"pooling\":\"max\"")).isNotEqualTo(distance(""));
    }

    private double distance(String parameters) {
        return ok(running.post(
                        "/similarity",
                        "{\"inputs\":{\"source_sentence\":\"a text\",\"sentences\":[\"another, and longer\"]},"
                                + "\"parameters\":{" + parameters + "}}"))
                .get(0)
                .doubleValue();
    }

    @Test
    void aVectorForEachToken() {
        JsonNode rows = ok(running.post("/embed_all", body(TEXTS, "")));
        assertThat(rows).hasSize(TEXTS.size());
        for (int i = 0; i < TEXTS.size(); i++) {
            float[] states = states("small", TEXTS.get(i));
            int width = description("small").embeddingLength();
            assertThat(rows.get(i)).hasSize(states.length / width);
            for (int j = 0; j < states.length; j++) {
                assertThat(rows.get(i).get(j / width).get(j % width).floatValue())
                        .isEqualTo(states[j]);
            }
        }
    }

    @Test
    void similarityAndOrderByTheCosine() {
        JsonNode cosines = ok(running.post(
                "/similarity",
                "{\"inputs\":{\"source_sentence\":\"a text\",\"sentences\":[\"another, and longer\",\"a text\"]}}"));
        double[] a = pooled("small", TEXTS.get(0));
        double[] b = pooled("small", TEXTS.get(1));
        double expected = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
        assertThat(cosines.get(0).doubleValue()).isCloseTo(expected, within(1e-6));
        assertThat(cosines.get(1).doubleValue()).isCloseTo(1, within(1e-6));
        JsonNode ranks = ok(running.post(
                "/rerank",
                "{\"query\":\"a text\",\"texts\":[\"another, and longer\",\"a text\"],\"return_text\":true}"));
        assertThat(ranks.get(0).get("index").intValue()).isOne();
        assertThat(ranks.get(0).get("text").textValue()).isEqualTo("a text");
        assertThat(ranks.get(1).get("score").doubleValue()).isCloseTo(expected, within(1e-6));
    }

    @Test
    void openAiGivesTheSameBitsInBothForms() {
        JsonNode vectors = ok(running.post("/embed", body(TEXTS, "")));
        JsonNode floats = ok(running.post("/v1/embeddings", body(TEXTS, "").replace("inputs", "input")));
        JsonNode base64 = ok(running.post(
                "/v1/embeddings", body(TEXTS, ",\"encoding_format\":\"base64\"").replace("inputs", "input")));
        assertThat(floats.get("object").textValue()).isEqualTo("list");
        assertThat(floats.at("/usage/prompt_tokens").intValue()).isPositive();
        for (int i = 0; i < TEXTS.size(); i++) {
            assertThat(floats.at("/data/" + i + "/embedding")).isEqualTo(vectors.get(i));
            ByteBuffer bytes = ByteBuffer.wrap(Base64.getDecoder()
                            .decode(base64.at("/data/" + i + "/embedding").textValue()))
                    .order(ByteOrder.LITTLE_ENDIAN);
            for (int j = 0; j < vectors.get(i).size(); j++) {
                assertThat(bytes.getFloat()).isEqualTo(vectors.get(i).get(j).floatValue());
            }
            assertThat(bytes.hasRemaining()).isFalse();
        }
    }

    @Test
    void openAiTakesTokens() {
        int[] ids = running.model().tokenizer().encode("a text", true).ids();
        String inner = IntStream.range(1, ids.length - 1)
                .mapToObj(i -> Integer.toString(ids[i]))
                .collect(Collectors.joining(","));
        JsonNode text =
                ok(running.post("/v1/embeddings", "{\"input\":\"a text\"}")).get("data");
        assertThat(ok(running.post("/v1/embeddings", "{\"input\":[" + inner + "]}"))
                        .get("data"))
                .isEqualTo(text);
        assertThat(ok(running.post(
                                "/v1/embeddings",
                                "{\"input\":[[" + ids[0] + "," + inner + "," + ids[ids.length - 1] + "]]}"))
                        .get("data"))
                .isEqualTo(text);
        HttpResponse<String> refused = running.post("/v1/embeddings", "{\"input\":[123456789]}");
        assertThat(refused.statusCode()).isEqualTo(422);
        assertThat(RunningServer.json(refused).at("/error/message").textValue()).contains("whole number");
    }

    @Test
    void whatIsWrong() {
        assertThat(running.post("/v1/embeddings", "{\"input\":\"a\",\"model\":\"none\"}")
                        .statusCode())
                .isEqualTo(404);
        assertThat(running.post("/v1/embeddings", "{\"input\":[]}").statusCode())
                .isEqualTo(400);
        assertThat(running.post("/similarity", "{\"inputs\":{\"source_sentence\":\"a\",\"sentences\":[]}}")
                        .statusCode())
                .isEqualTo(400);
        assertThat(running.post("/similarity", "{\"inputs\":\"a\"}").statusCode())
                .isEqualTo(422);
        assertThat(running.post("/rerank", "{\"query\":\"a\",\"texts\":[]}").statusCode())
                .isEqualTo(400);
        assertThat(running.post("/rerank", "{\"query\":\"a\",\"documents\":[\"b\"]}")
                        .statusCode())
                .isEqualTo(422);
        for (String wrong : List.of(
                "\"encoding_format\":\"hex\"",
                "\"encoding_format\":\"int8\",\"normalize\":false",
                "\"pooling\":\"sum\"",
                "\"pooling\":\"none\",\"dimensions\":3")) {
            assertThat(running.post("/embed", body(TEXTS, "," + wrong)).statusCode())
                    .as(wrong)
                    .isEqualTo(422);
        }
        assertThat(running.post(
                                "/similarity",
                                "{\"inputs\":{\"source_sentence\":\"a\",\"sentences\":[\"b\"]},"
                                        + "\"parameters\":{\"distance\":\"hamming\"}}")
                        .statusCode())
                .isEqualTo(422);
    }

    private ModelDescription description(String name) {
        try (Catalogue.Lease lease = running.catalogue.lease(Optional.of(name))) {
            return lease.served().model().description();
        }
    }

    private float[] states(String name, String text) {
        try (Catalogue.Lease lease = running.catalogue.lease(Optional.of(name));
                Session session = Session.open(lease.served().model().kernel(), new SessionLimits(64, 1))) {
            session.batch()
                    .add(lease.served().model().tokenizer().encode(text, true).ids(), null, 0, true);
            session.run();
            return session.states(0);
        }
    }

    private double[] pooled(String name, String text) {
        float[] states = states(name, text);
        double[] pooled = new double[description(name).embeddingLength()];
        int rows = description(name).pooling() == Pooling.CLS ? 1 : states.length / pooled.length;
        for (int i = 0; i < rows * pooled.length; i++) {
            pooled[i % pooled.length] += states[i] / rows;
        }
        return pooled;
    }

    private static double[] doubles(JsonNode list) {
        double[] values = new double[list.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = list.get(i).doubleValue();
        }
        return values;
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static String body(List<String> texts, String more) {
        ArrayNode list = RunningServer.MAPPER.createArrayNode();
        texts.forEach(list::add);
        return "{\"inputs\":" + list + more + "}";
    }

    private static JsonNode ok(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        assertThat(response.body().getBytes(StandardCharsets.UTF_8)).isNotEmpty();
        return RunningServer.json(response);
    }
}
