package io.gatun.http;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.model.Head;
import io.gatun.service.Catalogue;
import io.gatun.service.Classified;
import io.gatun.service.Embedded;
import io.gatun.service.ErrorType;
import io.gatun.service.RequestException;
import io.gatun.service.RequestId;
import io.gatun.service.TextService;
import io.gatun.service.VectorOptions;
import io.gatun.task.TextClassification;
import java.io.IOException;
import java.util.List;

/** The routes of OpenAI's clients, and vLLM's {@code /classify}, which is made like them. */
final class OpenAiRoutes {
    private static final String EXAMPLE = "{\"model\": \"default\", \"input\": \"a text\"}";

    private final TextService service;
    private final long started = System.currentTimeMillis() / 1000;

    OpenAiRoutes(TextService service) {
        this.service = service;
    }

    void register(Routes routes) {
        routes.task("/v1/embeddings", ErrorStyle.OPENAI, this::embeddings);
        routes.get("/v1/models", ErrorStyle.OPENAI, exchange -> models());
        routes.get("/v1/models/{name}", ErrorStyle.OPENAI, exchange -> model(exchange.path("name")));
        routes.task("/classify", ErrorStyle.OPENAI, this::classify);
    }

    private Inputs inputs(Fields fields) {
        JsonNode input = fields.required("input", EXAMPLE);
        return Inputs.textsOrTokens(input, service.limits().maxTexts());
    }

    private Reply embeddings(Exchange exchange) throws IOException, InterruptedException {
        Fields fields = exchange.fields();
        VectorOptions options = fields.vectorOptions(true);
        VectorEncoding encoding = VectorEncoding.of(fields, options);
        Embedded embedded = service.embed(
                exchange.call(), fields.text("model"), inputs(fields).all(), fields.truncation(), options);
        TeiRoutes.reserve(exchange, embedded.vectors());
        return Reply.largeJson(out -> {
            out.writeStartObject();
            out.writeStringField("object", "list");
            out.writeArrayFieldStart("data");
            for (int i = 0; i < embedded.vectors().size(); i++) {
                out.writeStartObject();
                out.writeStringField("object", "embedding");
                out.writeNumberField("index", i);
                out.writeFieldName("embedding");
                encoding.write(embedded.vectors().get(i), out);
                out.writeEndObject();
            }
            out.writeEndArray();
            out.writeStringField("model", embedded.model());
            writeUsage(embedded.tokens(), out);
            out.writeEndObject();
        });
    }

    private static void writeUsage(List<Integer> tokens, JsonGenerator out) throws IOException {
        int sum = tokens.stream().mapToInt(Integer::intValue).sum();
        out.writeObjectFieldStart("usage");
        out.writeNumberField("prompt_tokens", sum);
        out.writeNumberField("total_tokens", sum);
        out.writeEndObject();
    }

    private Reply models() {
        List<Catalogue.Entry> entries = service.catalogue().entries().stream()
                .filter(entry -> entry.state() == Catalogue.State.READY)
                .toList();
        return Reply.json(out -> {
            out.writeStartObject();
            out.writeStringField("object", "list");
            out.writeArrayFieldStart("data");
            for (Catalogue.Entry entry : entries) {
                writeModel(entry.name(), out);
            }
            out.writeEndArray();
            out.writeEndObject();
        });
    }

    private Reply model(String name) {
        boolean ready = service.catalogue().entries().stream()
                .anyMatch(entry -> entry.name().equals(name) && entry.state() == Catalogue.State.READY);
        if (!ready) {
            throw new RequestException(
                    ErrorType.UNKNOWN_MODEL,
                    "There is no model of that name; GET /v1/models lists those that there are.");
        }
        return Reply.json(out -> writeModel(name, out));
    }

    private void writeModel(String name, JsonGenerator out) throws IOException {
        out.writeStartObject();
        out.writeStringField("id", name);
        out.writeStringField("object", "model");
        out.writeNumberField("created", started);
        out.writeStringField("owned_by", "gatun");
        out.writeEndObject();
    }

    private Reply classify(Exchange exchange) throws IOException, InterruptedException {
        Fields fields = exchange.fields();
        Classified classified = service.classify(
                exchange.call(),
                fields.text("model"),
                fields.text("head"),
                inputs(fields).all(),
                fields.truncation());
        Head head = classified.head();
        List<double[]> probabilities = classified.logits().stream()
                .map(logits -> TextClassification.probabilities(head, logits))
                .toList();
        return Reply.json(out -> {
            out.writeStartObject();
            out.writeStringField("id", "classify-" + RequestId.random());
            out.writeStringField("object", "list");
            out.writeNumberField("created", System.currentTimeMillis() / 1000);
            out.writeStringField("model", classified.model());
            out.writeArrayFieldStart("data");
            for (int i = 0; i < probabilities.size(); i++) {
                double[] values = probabilities.get(i);
                out.writeStartObject();
                out.writeNumberField("index", i);
                out.writeStringField("label", head.labels().get(largest(values)));
                out.writeArrayFieldStart("probs");
                for (double value : values) {
                    out.writeNumber((float) value);
                }
                out.writeEndArray();
                out.writeNumberField("num_classes", values.length);
                out.writeEndObject();
            }
            out.writeEndArray();
            writeUsage(classified.tokens(), out);
            out.writeEndObject();
        });
    }

    private static int largest(double[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            best = values[i] > values[best] ? i : best;
        }
        return best;
    }
}
