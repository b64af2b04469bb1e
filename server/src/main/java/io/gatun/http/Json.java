package io.gatun.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.BufferRecycler;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import com.fasterxml.jackson.core.util.RecyclerPool;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.List;

/** How JSON is read and written here: buffers are shared, since each thread's own would stay for as long as its connection. */
final class Json {
    private static final RecyclerPool<BufferRecycler> BUFFERS = JsonRecyclerPools.newBoundedPool(16);
    private static final JsonFactory FACTORY = factory().build();

    private Json() {}

    static JsonFactoryBuilder factory() {
        return new JsonFactoryBuilder().recyclerPool(BUFFERS);
    }

    /** Writes one value. */
    @FunctionalInterface
    interface Content {
        void write(JsonGenerator out) throws IOException;
    }

    /** Writes one of a list. */
    @FunctionalInterface
    interface Element<T> {
        void write(T element, JsonGenerator out) throws IOException;
    }

    /** A list of answers or, where one text was asked for and not a batch, its answer alone. */
    static <T> Content answers(boolean batch, List<T> answers, Element<T> element) {
        return out -> {
            if (batch) {
                out.writeStartArray();
            }
            for (T answer : answers) {
                element.write(answer, out);
            }
            if (batch) {
                out.writeEndArray();
            }
        };
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
