package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every wrong request gets its status and a sentence that helps, and the next one works. */
final class ErrorsTest {
    private static RunningServer running;

    @BeforeAll
    static void start() {
        running = new RunningServer();
    }

    @AfterAll
    static void stop() {
        running.close();
    }

    @AfterEach
    void theNextRequestWorks() {
        assertThat(running.post("/predict", "{\"inputs\":\"fine\"}").statusCode())
                .isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "/predict  | {                                  | 422 | Validation | not valid JSON",
                "/predict  | {\"inputs\":\"a\"} x               | 422 | Validation | not valid JSON",
                "/predict  | {\"inputs\":NaN}                   | 422 | Validation | Non-standard token 'NaN'.",
                "/predict  | {\"inputs\":\"a\",\"inputs\":\"b\"} | 422 | Validation | Duplicate",
                "/predict  | ``                                 | 422 | Validation | JSON object",
                "/predict  | [1]                                | 422 | Validation | JSON object",
                "/predict  | {}                                 | 422 | Validation | \"inputs\" is missing",
                "/predict  | {\"inputs\":null}                  | 422 | Validation | \"inputs\" is missing",
                "/predict  | {\"inputs\":5}                     | 422 | Validation | not a number",
                "/predict  | {\"inputs\":[1,2]}                 | 422 | Validation | inputs[0] must be a text",
                "/predict  | {\"inputs\":[[1]]}                 | 422 | Validation | inputs[0][0] must be a text",
                "/predict  | {\"inputs\":[[\"a\"],\"b\"]}       | 422 | Validation | inputs[1] must be a list",
                "/predict  | {\"inputs\":[[\"a\",\"b\",\"c\"]]} | 422 | Validation | one or two texts",
                "/predict  | {\"inputs\":[\"a\",\"b\",\"c\"]}   | 422 | Validation | [[\"a\"], [\"b\"], [\"c\"]]",
                "/predict  | {\"inputs\":[]}                    | 400 | Empty      | at least one text",
                "/predict  | {\"inputs\":[[]]}                  | 422 | Validation | one or two texts",
                "/predict  | {\"inputs\":\"\\ud800\"}           | 422 | Tokenizer  | lone surrogate",
                "/predict  | {\"inputs\":\"a\",\"truncate\":1}  | 422 | Validation | \"truncate\" must be true or false",
                "/predict  | {\"inputs\":\"a\",\"raw_scores\":\"yes\"} | 422 | Validation | \"raw_scores\"",
                "/predict  | {\"inputs\":\"a\",\"truncation_direction\":\"up\"} | 422 | Validation | \"left\" or \"right\"",
                "/predict  | {\"inputs\":\"a\",\"head\":\"no\"} | 422 | Validation | \"tone\" (text-classification)",
                "/predict  | {\"inputs\":\"a\",\"head\":7}      | 422 | Validation | \"head\" must be a text",
                "/predict  | {\"inputs\":\"a\",\"head\":\"spans\"} | 422 | Validation | token-classification",
                "/predict  | {\"inputs\":\"a\",\"model\":\"tags\"} | 422 | Validation | token-classification",
                "/predict  | {\"inputs\":\"a\",\"model\":\"no\"} | 422 | Validation | \"small\", \"tags\"",
                "/tokenize | {\"inputs\":[]}                    | 400 | Empty      | at least one text",
                "/tokenize | {\"inputs\":[[\"a\"]]}             | 422 | Validation | inputs[0] must be a text",
                "/tokenize | {\"inputs\":\"\\udc00\"}           | 422 | Tokenizer  | lone surrogate",
                "/decode   | {\"ids\":[]}                       | 400 | Empty      | at least one",
                "/decode   | {\"ids\":5}                        | 422 | Validation | list of token ids",
                "/decode   | {\"ids\":[-1]}                     | 422 | Validation | whole number",
                "/decode   | {\"ids\":[1.5]}                    | 422 | Validation | whole number",
                "/decode   | {\"ids\":[99999999999]}            | 422 | Validation | whole number",
                "/decode   | {\"ids\":[[1],2]}                  | 422 | Validation | ids[1] must be a list",
            })
    void aWrongBody(String path, String json, int status, String type, String says) {
        refused(running.post(path, json), status, type, says);
    }

    @Test
    void tooManyTexts() {
        String texts = String.join(",", Collections.nCopies(5000, "[\"a\"]"));
        refused(running.post("/predict", "{\"inputs\":[" + texts + "]}"), 422, "Validation", "limit of 1024");
    }

    @Test
    void aTextThatIsTooLong() {
        String text = "word ".repeat(2000);
        String json = "{\"inputs\":\"" + text + "\"";
        refused(running.post("/predict", json + "}"), 422, "Validation", "\"truncate\": true");
        assertThat(running.post("/predict", json + ",\"truncate\":true,\"truncation_direction\":\"Left\"}")
                        .statusCode())
                .isEqualTo(200);
        assertThat(running.get("/metrics").body()).contains("gatun_truncated_total{model=\"small\"} 1.0");
    }

    @Test
    void nestingTooDeep() {
        String json = "{\"inputs\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}";
        refused(running.post("/predict", json), 422, "Validation", "deeper");
    }

    @Test
    void aBodyThatIsNoUtf8() {
        byte[] body = "{\"inputs\":\"ä\"}".getBytes(StandardCharsets.ISO_8859_1);
        HttpRequest request = running.request("/predict")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .build();
        refused(running.send(request), 422, "Validation", "UTF-8");
    }

    @Test
    void aBodyOfTenMegabytes() {
        byte[] body = ("{\"inputs\":\"" + "a".repeat(10 << 20) + "\"}").getBytes(StandardCharsets.UTF_8);
        HttpRequest whole = running.request("/predict")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .build();
        refused(running.send(whole), 413, "Validation", "2097152 bytes");
        HttpRequest chunked = running.request("/predict")
                .POST(HttpRequest.BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body)))
                .build();
        refused(running.send(chunked), 413, "Validation", "2097152 bytes");
    }

    @Test
    void aBodyOfTenMegabytesFromAPlainSocket() throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), running.server.port())) {
            announce(socket, 10_485_760);
            socket.getOutputStream().write(new byte[10_485_760]);
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(answer).startsWith("HTTP/1.1 413").contains("\"error_type\":\"Validation\"");
        }
    }

    @Test
    void aBodyThatIsAnnouncedFarTooLarge() throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), running.server.port())) {
            announce(socket, 999_999_999_999L);
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(answer).startsWith("HTTP/1.1 413").contains("\"error_type\":\"Validation\"");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1000})
    void theLastAnswerOfAConnectionIsWhole(int texts) throws IOException {
        String body = "{\"inputs\":[" + "\"a\",".repeat(texts - 1) + "\"a\"],\"dimensions\":2}";
        String answer = exchange(
                "POST /embed HTTP/1.1",
                "Host: a",
                "Content-Type: application/json",
                "Content-Length: " + body.length(),
                "Connection: close",
                "",
                body);
        assertThat(answer).startsWith("HTTP/1.1 200").containsPattern("]](\r\n0\r\n\r\n)?$");
    }

    /** Sends lines on a connection of their own, and reads until the server ends it. */
    private static String exchange(String... lines) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), running.server.port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(String.join("\r\n", lines).getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** Sends the head of a request whose body is to have so many bytes. */
    private static void announce(Socket socket, long bytes) throws IOException {
        String head = String.join(
                "\r\n",
                "POST /predict HTTP/1.1",
                "Host: a",
                "Content-Type: application/json",
                "Content-Length: " + bytes,
                "Connection: close",
                "",
                "");
        socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void aClientThatWantsOneAnswerSeesTheConnectionEnd() throws IOException {
        String body = "{\"inputs\":\"a\"}";
        for (String type : List.of("application/json", "text/plain")) {
            String answers = exchange(
                    "POST /predict HTTP/1.1",
                    "Host: a",
                    "Content-Type: " + type,
                    "Content-Length: " + body.length(),
                    "Connection: close",
                    "",
                    body);
            assertThat(answers)
                    .startsWith("HTTP/1.1 " + (type.equals("text/plain") ? 415 : 200))
                    .contains("Connection: close");
        }
    }

    /** Nobody knows where such a body ends: what follows on the connection is not read as a request. */
    @ParameterizedTest
    @CsvSource({
        "zz, 400",
        "-5, 400",
        "7fffffff, 413",
        "4;a=b, 400",
    })
    void chunksThatCannotBeRead(String size, int status) throws IOException {
        String answers = exchange(
                "POST /predict HTTP/1.1",
                "Host: a",
                "Content-Type: application/json",
                "Transfer-Encoding: chunked",
                "",
                size,
                "zz",
                "0",
                "",
                "GET /info HTTP/1.1",
                "Host: a",
                "",
                "");
        assertThat(answers)
                .startsWith("HTTP/1.1 " + status)
                .contains("Connection: close", "\"error_type\":\"Validation\"")
                .doesNotContain("HTTP/1.1 200");
    }

    @Test
    void bodiesTogetherAreBounded() throws IOException {
        ServerSettings usual = ServerSettings.of("127.0.0.1", 0);
        ServerSettings tight = new ServerSettings(
                usual.host(),
                usual.port(),
                usual.maxBodyBytes(),
                100_000,
                usual.maxHeaderBytes(),
                usual.maxConnections(),
                usual.idleTimeout(),
                usual.requestTimeout(),
                usual.drainTimeout());
        String large = "{\"truncate\":true,\"inputs\":\"" + "a ".repeat(40_000) + "\"}";
        try (RunningServer small = new RunningServer(tight);
                Socket holder = new Socket(InetAddress.getLoopbackAddress(), small.server.port())) {
            announce(holder, large.length());
            holder.getOutputStream().write(large.getBytes(StandardCharsets.US_ASCII), 0, 70_000);
            await().until(() -> small.post("/predict", large).statusCode() == 429);
            HttpResponse<String> refused = small.post("/predict", large);
            refused(refused, 429, "Overloaded", "try again");
            assertThat(refused.headers().firstValue("Retry-After")).hasValue("1");
            assertThat(small.post("/predict", "{\"inputs\":\"short\"}").statusCode())
                    .isEqualTo(200);
            holder.getOutputStream().write(large.getBytes(StandardCharsets.US_ASCII), 70_000, large.length() - 70_000);
            assertThat(new String(holder.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                    .startsWith("HTTP/1.1 200");
            assertThat(small.post("/predict", large).statusCode()).isEqualTo(200);
        }
    }

    @Test
    void aRequestForHeadersAloneGetsNoBody() throws IOException {
        String answers = exchange(
                "HEAD /health HTTP/1.1",
                "Host: a",
                "",
                "HEAD /predict HTTP/1.1",
                "Host: a",
                "",
                "GET /health HTTP/1.1",
                "Host: a",
                "",
                "HEAD /info HTTP/1.1",
                "Host: a",
                "Connection: close",
                "",
                "");
        assertThat(answers)
                .matches("(?s)HTTP/1.1 200 .*?\\r\\n\\r\\nHTTP/1.1 405 .*?\\r\\n\\r\\nHTTP/1.1 200 .*?\\r\\n\\r\\n"
                        + "\\{[^{}]*\\}HTTP/1.1 200 .*?\\r\\n\\r\\n");
    }

    @Test
    void somethingThatIsNoHttp() throws IOException {
        assertThat(exchange("BAD", "", "")).startsWith("HTTP/1.1 400").contains("\"error_type\":\"Validation\"");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "text/plain",
                "application/x-www-form-urlencoded",
                "application/json; charset=latin1",
                "application/json;charset=\"",
                "nonsense"
            })
    void aWrongMediaType(String type) {
        HttpRequest request = HttpRequest.newBuilder(running.uri("/predict"))
                .header("Content-Type", type)
                .POST(HttpRequest.BodyPublishers.ofString("{\"inputs\":\"a\"}"))
                .build();
        refused(running.send(request), 415, "Validation", "Content-Type: application/json");
    }

    @Test
    void aCompressedBody() throws IOException {
        byte[] plain = "{\"inputs\":\"a\"}".getBytes(StandardCharsets.UTF_8);
        assertThat(compressed("gzip", gzip(plain)).statusCode()).isEqualTo(200);
        ByteArrayOutputStream deflated = new ByteArrayOutputStream();
        try (DeflaterOutputStream out = new DeflaterOutputStream(deflated)) {
            out.write(plain);
        }
        assertThat(compressed("deflate", deflated.toByteArray()).statusCode()).isEqualTo(200);
        refused(compressed("br", plain), 415, "Validation", "gzip or deflate");
        refused(compressed("gzip", plain), 400, "Validation", "unpacked");
        byte[] whole = gzip(plain);
        refused(compressed("gzip", Arrays.copyOf(whole, whole.length - 9)), 400, "Validation", "unpacked");
        refused(compressed("gzip", gzip(new byte[20 << 20])), 413, "Validation", "larger than");
    }

    private static byte[] gzip(byte[] plain) throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
            out.write(plain);
        }
        return packed.toByteArray();
    }

    private HttpResponse<String> compressed(String encoding, byte[] body) {
        return running.send(running.request("/predict")
                .header("Content-Encoding", encoding)
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .build());
    }

    @ParameterizedTest
    @CsvSource({
        "x-priority, urgent, interactive or bulk",
        "x-timeout-ms, 0, whole number",
        "x-timeout-ms, soon, whole number",
        "x-timeout-ms, -5, whole number"
    })
    void aWrongHeader(String header, String value, String says) {
        HttpRequest request = running.request("/predict")
                .header(header, value)
                .POST(HttpRequest.BodyPublishers.ofString("{\"inputs\":\"a\"}"))
                .build();
        refused(running.send(request), 422, "Validation", says);
    }

    @Test
    void anUnknownRoute() {
        refused(running.get("/nothing"), 404, "Validation", "/openapi");
        refused(running.post("/predict/more", "{}"), 404, "Validation", "/openapi");
    }

    @ParameterizedTest
    @CsvSource({"/predict,POST", "/tokenize,POST", "/decode,POST", "/info,GET", "/health,GET", "/metrics,GET"})
    void aWrongMethod(String path, String allowed) {
        HttpResponse<String> response = running.send(running.request(path)
                .method("DELETE", HttpRequest.BodyPublishers.noBody())
                .build());
        refused(response, 405, "Validation", "use " + allowed);
        assertThat(response.headers().firstValue("Allow")).hasValue(allowed);
    }

    private static void refused(HttpResponse<String> response, int status, String type, String says) {
        JsonNode body = RunningServer.json(response);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(body.path("error_type").asText()).isEqualTo(type);
        assertThat(body.path("error").asText()).contains(says).endsWith(".");
        assertThat(response.headers().firstValue("Content-Type")).hasValue("application/json");
        assertThat(response.headers().firstValue("x-request-id").orElse("")).isNotEmpty();
    }
}
