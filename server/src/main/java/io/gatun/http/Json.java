package io.gatun.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import java.io.IOException;
import java.io.OutputStream;
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

    /** Writes one value as it comes. */
    static void write(Content content, OutputStream stream) throws IOException {
        try (JsonGenerator out = FACTORY.createGenerator(stream)) {
            content.write(out);
        }
    }
}
