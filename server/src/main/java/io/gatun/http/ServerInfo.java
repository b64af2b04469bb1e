package io.gatun.http;

import com.fasterxml.jackson.core.JsonGenerator;
import io.gatun.kernel.Kernel;
import io.gatun.kernel.SessionLimits;
import io.gatun.model.Head;
import io.gatun.model.ModelDescription;
import io.gatun.model.Task;
import io.gatun.service.Catalogue;
import io.gatun.service.RequestException;
import io.gatun.service.ServedModel;
import io.gatun.service.ServerVersion;
import io.gatun.service.ServiceLimits;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The answer of {@code GET /info}: what is served, as text-embeddings-inference says it, and what only Gatun has. */
final class ServerInfo {
    private final Catalogue catalogue;
    private final ServiceLimits limits;
    private final ServerSettings settings;

    ServerInfo(Catalogue catalogue, ServiceLimits limits, ServerSettings settings) {
        this.limits = limits;
        this.catalogue = catalogue;
        this.settings = settings;
    }

    void write(JsonGenerator out) throws IOException {
        try (Catalogue.Lease lease = catalogue.lease(Optional.empty())) {
            write(lease.served(), out);
        }
    }

    private void write(ServedModel served, JsonGenerator out) throws IOException {
        ModelDescription description = served.model().description();
        SessionLimits batch = served.lanes().settings().limits();
        out.writeStartObject();
        out.writeStringField("model_id", served.model().name());
        out.writeNullField("model_sha");
        out.writeStringField("model_dtype", dataType(description));
        writeType(out, served);
        out.writeNumberField("max_concurrent_requests", settings.maxConnections());
        out.writeNumberField("max_input_length", Math.min(served.model().maxTokens(), limits.maxTokens()));
        out.writeNumberField("max_batch_tokens", batch.maxTokens());
        out.writeNumberField("max_batch_requests", batch.maxSequences());
        out.writeNumberField("max_client_batch_size", limits.maxTexts());
        out.writeBooleanField("auto_truncate", false);
        out.writeNumberField("tokenization_workers", Runtime.getRuntime().availableProcessors());
        out.writeStringField("version", ServerVersion.TEXT);
        out.writeNullField("sha");
        out.writeNullField("docker_label");
        writeHeads(out, description.heads());
        out.writeArrayFieldStart("models");
        for (Catalogue.Entry entry : catalogue.entries()) {
            out.writeStartObject();
            out.writeStringField("name", entry.name());
            out.writeStringField("state", entry.state().name().toLowerCase(Locale.ROOT));
            if (entry.state() == Catalogue.State.READY) {
                writeModel(entry.name(), out);
            }
            out.writeEndObject();
        }
        out.writeEndArray();
        out.writeStringField("instruction_set", Kernel.cpu());
        out.writeStringField("compute", served.model().kernel().compute().id());
        out.writeStringField("ggml_version", Kernel.ggmlVersion());
        out.writeEndObject();
    }

    private void writeModel(String name, JsonGenerator out) throws IOException {
        try (Catalogue.Lease lease = catalogue.lease(Optional.of(name))) {
            ModelDescription description = lease.served().model().description();
            out.writeStringField("architecture", description.architecture());
            writeHeads(out, description.heads());
        } catch (RequestException e) {
            out.writeStringField("reason", e.problem().message()); // unloaded in between
        }
    }

    /** The type that takes the most bytes. */
    private static String dataType(ModelDescription description) {
        return description.typeBytes().entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(e -> e.getKey().name().toLowerCase(Locale.ROOT))
                .orElse("float32");
    }

    private static void writeType(JsonGenerator out, ServedModel served) throws IOException {
        List<String> labels = served.model().description().heads().stream()
                .filter(h -> h.task() == Task.TEXT_CLASSIFICATION)
                .findFirst()
                .map(Head::labels)
                .orElse(List.of());
        out.writeObjectFieldStart("model_type");
        out.writeObjectFieldStart("classifier");
        out.writeObjectFieldStart("id2label");
        for (int i = 0; i < labels.size(); i++) {
            out.writeStringField(Integer.toString(i), labels.get(i));
        }
        out.writeEndObject();
        out.writeObjectFieldStart("label2id");
        for (int i = 0; i < labels.size(); i++) {
            out.writeNumberField(labels.get(i), i);
        }
        out.writeEndObject();
        out.writeEndObject();
        out.writeEndObject();
    }

    private static void writeHeads(JsonGenerator out, List<Head> heads) throws IOException {
        out.writeArrayFieldStart("heads");
        for (Head head : heads) {
            out.writeStartObject();
            out.writeStringField("name", head.name());
            out.writeStringField("task", head.task().id());
            if (head.task() == Task.TEXT_CLASSIFICATION) {
                out.writeStringField("problem_type", head.problemType().id());
            }
            out.writeArrayFieldStart("labels");
            for (String label : head.labels()) {
                out.writeString(label);
            }
            out.writeEndArray();
            if (head.threshold().isPresent()) {
                out.writeNumberField("threshold", head.threshold().getAsDouble());
            }
            out.writeEndObject();
        }
        out.writeEndArray();
    }
}
