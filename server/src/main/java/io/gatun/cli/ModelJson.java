package io.gatun.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.gatun.kernel.TensorType;
import io.gatun.model.Head;
import io.gatun.model.ModelDescription;
import io.gatun.model.Task;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Map;

/** A model's description as one JSON object on one line. */
final class ModelJson {
    private ModelJson() {}

    static String write(ModelDescription model) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeStringField("architecture", model.architecture());
            json.writeStringField("name", model.name());
            json.writeNumberField("bytes", model.bytes());
            json.writeNumberField("parameters", model.parameters());
            json.writeNumberField("vocabulary_size", model.vocabularySize());
            json.writeNumberField("context_length", model.contextLength());
            json.writeNumberField("embedding_length", model.embeddingLength());
            json.writeNumberField("layers", model.layerCount());
            json.writeNumberField("attention_heads", model.attentionHeadCount());
            json.writeNumberField("feed_forward_length", model.feedForwardLength());
            json.writeNumberField("token_types", model.tokenTypeCount());
            json.writeObjectFieldStart("types");
            for (Map.Entry<TensorType, Long> type : model.typeBytes().entrySet()) {
                json.writeNumberField(type.getKey().name().toLowerCase(Locale.ROOT), type.getValue());
            }
            json.writeEndObject();
            json.writeArrayFieldStart("heads");
            for (Head head : model.heads()) {
                write(head, json);
            }
            json.writeEndArray();
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }

    private static void write(Head head, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", head.name());
        json.writeStringField("task", head.task().id());
        if (head.task() == Task.TEXT_CLASSIFICATION) {
            json.writeStringField("problem_type", head.problemType().id());
        }
        json.writeStringField("activation", head.activation());
        json.writeArrayFieldStart("layers");
        for (int layer : head.layers()) {
            json.writeNumber(layer);
        }
        json.writeEndArray();
        if (head.threshold().isPresent()) {
            json.writeNumberField("threshold", (float) head.threshold().getAsDouble());
        }
        json.writeArrayFieldStart("labels");
        for (String label : head.labels()) {
            json.writeString(label);
        }
        json.writeEndArray();
        json.writeEndObject();
    }
}
