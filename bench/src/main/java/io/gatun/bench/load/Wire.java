package io.gatun.bench.load;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** How a server is asked what a text says: the protocols of this field. */
enum Wire {
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
        boolean sameBytes() {
            return false; // each answer has an id of its own
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

    private final String id;

    Wire(String id) {
        this.id = id;
    }

    /** As the command line calls it. */
    String id() {
        return id;
    }

    abstract String path(String model);

    abstract ObjectNode body(String text, String model);

    /** The best label of an answer; empty where it has none. */
    abstract String label(JsonNode answer);

    /** Whether the same question is always answered with the same bytes. */
    boolean sameBytes() {
        return true;
    }

    String label(ByteBuffer answer) {
        try {
            return label(JSON.readTree(
                    StandardCharsets.UTF_8.decode(answer.duplicate()).toString()));
        } catch (IOException e) {
            return "";
        }
    }

    /** A whole request for each text. */
    List<byte[]> requests(Texts texts, URI server, String model) {
        return texts.all().stream()
                .map(text -> request(server, path(model), body(text, model)))
                .toList();
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
