package io.gatun.bench.soak;

import com.google.protobuf.InvalidProtocolBufferException;
import io.gatun.grpc.tei.PredictRequest;
import io.gatun.grpc.tei.PredictResponse;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** What a server is asked again and again. Immutable. */
sealed interface Question {
    /** For the reader of a fault. */
    String name();

    /** Whether the model that answers comes and goes. */
    boolean reloaded();

    /** Asks, with headers such as {@code x-priority}. */
    Reply ask(Line line, Map<String, String> headers, Optional<Duration> timeout) throws IOException;

    /** Over HTTP, in JSON. */
    record Http(String path, String json, boolean reloaded) implements Question {
        @Override
        public String name() {
            return path + " " + json.substring(0, Math.min(json.length(), 80));
        }

        @Override
        public Reply ask(Line line, Map<String, String> headers, Optional<Duration> timeout) throws IOException {
            Map<String, String> all = new HashMap<>(headers);
            timeout.ifPresent(time -> all.put("x-timeout-ms", Long.toString(time.toMillis())));
            return line.send(request(all));
        }

        byte[] request(Map<String, String> headers) {
            Map<String, String> all = new HashMap<>(headers);
            all.put("Content-Type", "application/json");
            return Line.request("POST", path, all, json.getBytes(StandardCharsets.UTF_8));
        }
    }

    /** {@code tei.v1.Predict}, whose answers also tell how long they took. */
    record Predict(String text) implements Question {
        static final String METHOD = "tei.v1.Predict/Predict";

        @Override
        public String name() {
            return METHOD + " " + text.substring(0, Math.min(text.length(), 80));
        }

        @Override
        public boolean reloaded() {
            return false;
        }

        @Override
        public Reply ask(Line line, Map<String, String> headers, Optional<Duration> timeout) throws IOException {
            Reply reply = line.call(METHOD, message(), headers, timeout);
            return reply.isAnswer() ? new Reply(reply.status(), lasting(reply.body())) : reply;
        }

        byte[] message() {
            return PredictRequest.newBuilder().setInputs(text).build().toByteArray();
        }

        private static ByteBuffer lasting(ByteBuffer answer) throws InvalidProtocolBufferException {
            return ByteBuffer.wrap(PredictResponse.parseFrom(answer.duplicate()).toBuilder()
                    .clearMetadata()
                    .build()
                    .toByteArray());
        }
    }
}
