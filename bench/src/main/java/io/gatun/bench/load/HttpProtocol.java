package io.gatun.bench.load;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/** Those over HTTP, in JSON. */
enum HttpProtocol implements Protocol {
    /** text-embeddings-inference: {@code POST /predict}. */
    TEI("tei") {
        @Override
        String path(String model) {
            return "/predict";
        }

        @Override
        ObjectNode body(String text, String model) {
            return JSON.createObjectNode().put("inputs", text);
        }

        @Override
        String label(JsonNode answer) {
            return answer.path(0).path("label").asText();
        }
    },
    /** KServe and Triton: {@code POST /v2/models/NAME/infer}. */
    KSERVE("kserve") {
        @Override
        String path(String model) {
            return "/v2/models/" + model + "/infer";
        }

        @Override
        ObjectNode body(String text, String model) {
            ObjectNode body = JSON.createObjectNode();
            ObjectNode input = body.putArray("inputs").addObject();
            input.put("name", "text").put("datatype", "BYTES");
            input.putArray("shape").add(1);
            input.putArray("data").add(text);
            body.putArray("outputs").addObject().put("name", "label");
            return body;
        }

        @Override
        String label(JsonNode answer) {
            return answer.path("outputs").path(0).path("data").path(0).asText();
        }
    },
    /** vLLM: {@code POST /classify}. */
    VLLM("vllm") {
        @Override
        String path(String model) {
            return "/classify";
        }

        @Override
        ObjectNode body(String text, String model) {
            return JSON.createObjectNode().put("model", model).put("input", text);
        }

        @Override
        String label(JsonNode answer) {
            return answer.path("data").path(0).path("label").asText();
        }

        @Override
        public ByteBuffer lasting(ByteBuffer answer) {
            return ByteBuffer.wrap(read(answer).path("data").toString().getBytes(StandardCharsets.UTF_8));
        }
    },
    /** OpenAI: {@code POST /v1/embeddings}; a vector has no label. */
    OPENAI("openai") {
        @Override
        String path(String model) {
            return "/v1/embeddings";
        }

        @Override
        ObjectNode body(String text, String model) {
            return JSON.createObjectNode()
                    .put("model", model)
                    .put("input", text)
                    .put("encoding_format", "base64");
        }

        @Override
        String label(JsonNode answer) {
            return answer.path("data").path(0).has("embedding") ? "a vector" : "";
        }
    };

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int DEFAULT_PORT = 80;

    private final String id;

    HttpProtocol(String id) {
        this.id = id;
    }

    abstract String path(String model);

    abstract ObjectNode body(String text, String model);

    abstract String label(JsonNode answer);

    @Override
    public String id() {
        return id;
    }

    @Override
    public Client client(Texts texts, URI server, String model, int connections, Duration timeout) {
        int port = server.getPort() < 0 ? DEFAULT_PORT : server.getPort();
        List<byte[]> requests = texts.all().stream()
                .map(text -> request(server, path(model), body(text, model)))
                .toList();
        return new HttpClient(new InetSocketAddress(server.getHost(), port), requests, connections, timeout);
    }

    @Override
    public String label(ByteBuffer answer) {
        return label(read(answer));
    }

    @Override
    public ByteBuffer lasting(ByteBuffer answer) {
        return answer;
    }

    private static JsonNode read(ByteBuffer answer) {
        try {
            return JSON.readTree(
                    StandardCharsets.UTF_8.decode(answer.duplicate()).toString());
        } catch (IOException e) {
            return MissingNode.getInstance();
        }
    }

    private static byte[] request(URI server, String path, ObjectNode json) {
        try {
            byte[] body = JSON.writeValueAsBytes(json);
            byte[] head = ("POST " + path + " HTTP/1.1\r\nHost: " + server.getAuthority()
                            + "\r\nContent-Type: application/json\r\nContent-Length: " + body.length + "\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII);
            byte[] whole = new byte[head.length + body.length];
            System.arraycopy(head, 0, whole, 0, head.length);
            System.arraycopy(body, 0, whole, head.length, body.length);
            return whole;
        } catch (JsonProcessingException e) {
            throw new AssertionError("a tree can always be written", e);
        }
    }
}
