package io.gatun.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;

/** Writes JSON into memory. */
final class Json {
    private static final JsonFactory FACTORY = new JsonFactory();

    private Json() {}

    /** Writes one value. */
    @FunctionalInterface
    interface Content {
        void write(JsonGenerator out) throws IOException;
    }

    static byte[] bytes(Content content) {
        try (ByteArrayBuilder buffer = new ByteArrayBuilder(512)) {
            try (JsonGenerator out = FACTORY.createGenerator(buffer)) {
                content.write(out);
            }
            return buffer.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The body of an error. */
    static byte[] error(Problem problem) {
        return bytes(out -> {
            out.writeStartObject();
            out.writeStringField("error", problem.message());
            out.writeStringField("error_type", problem.type().wireName());
            out.writeEndObject();
        });
    }
}
