package io.gatun.inference;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/** What is no tensor of numbers: an element for each text, which is JSON. */
final class JsonTensor {
    private static final JsonFactory JSON = new JsonFactoryBuilder()
            .recyclerPool(JsonRecyclerPools.newBoundedPool(16))
            .build();

    private JsonTensor() {}

    /** Writes one text's answer. */
    @FunctionalInterface
    interface Writer<T> {
        void write(T answer, JsonGenerator out) throws IOException;
    }

    /** {@code [texts]}, in their order. */
    static <T> OutputTensor of(String name, List<T> answers, Writer<T> writer) {
        List<byte[]> elements = new ArrayList<>(answers.size());
        for (T answer : answers) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (JsonGenerator out = JSON.createGenerator(bytes)) {
                writer.write(answer, out);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            elements.add(bytes.toByteArray());
        }
        return new OutputTensor.Texts(name, List.of((long) elements.size()), elements);
    }
}
