package io.gatun.http;

import com.fasterxml.jackson.core.JsonGenerator;
import io.gatun.batch.DrainingException;
import io.gatun.inference.InferenceRequest;
import io.gatun.inference.InferenceService;
import io.gatun.inference.ModelMetadata;
import io.gatun.inference.ModelStatistics;
import io.gatun.service.Catalogue;
import io.gatun.service.ErrorType;
import io.gatun.service.RequestException;
import io.gatun.service.ServerVersion;
import java.io.IOException;
import java.util.List;

/** The routes of the Open Inference Protocol, version 2, with Triton's extensions for binary tensors and repositories. */
final class InferenceRoutes {
    private static final List<String> MODEL = List.of("/v2/models/{name}", "/v2/models/{name}/versions/{version}");

    private final InferenceService inference;
    private final Catalogue catalogue;
    private final InFlight inFlight;

    InferenceRoutes(InferenceService inference, Catalogue catalogue, InFlight inFlight) {
        this.inference = inference;
        this.catalogue = catalogue;
        this.inFlight = inFlight;
    }

    void register(Routes routes) {
        get(routes, "/v2", exchange -> server());
        routes.open("/v2/health/live", ErrorStyle.PLAIN, exchange -> flag("live"));
        routes.open("/v2/health/ready", ErrorStyle.PLAIN, exchange -> ready());
        get(routes, "/v2/models/stats", exchange -> statistics("", ""));
        for (String model : MODEL) {
            get(routes, model, exchange -> metadata(inference.metadata(name(exchange), version(exchange))));
            get(routes, model + "/ready", exchange -> modelReady(name(exchange), version(exchange)));
            get(routes, model + "/stats", exchange -> statistics(name(exchange), version(exchange)));
            get(
                    routes,
                    model + "/config",
                    exchange -> configuration(inference.metadata(name(exchange), version(exchange))));
            routes.task(model + "/infer", ErrorStyle.PLAIN, this::infer);
        }
        post(routes, "/v2/repository/index", this::index);
        post(routes, "/v2/repository/models/{name}/load", exchange -> {
            exchange.parseOrEmpty(exchange.bytes());
            catalogue.load(name(exchange));
            return empty();
        });
        post(routes, "/v2/repository/models/{name}/unload", exchange -> {
            exchange.parseOrEmpty(exchange.bytes());
            catalogue.unload(name(exchange));
            return empty();
        });
    }

    private static void get(Routes routes, String path, Routes.Answerer answerer) {
        routes.get(path, ErrorStyle.PLAIN, answerer);
    }

    private static void post(Routes routes, String path, Routes.Answerer answerer) {
        routes.post(path, ErrorStyle.PLAIN, answerer);
    }

    private static String name(Exchange exchange) {
        return exchange.path("name");
    }

    private static String version(Exchange exchange) {
        return exchange.optionalPath("version").orElse("");
    }

    private static Reply empty() {
        return Reply.json(out -> {
            out.writeStartObject();
            out.writeEndObject();
        });
    }

    private static Reply flag(String name) {
        return Reply.json(out -> {
            out.writeStartObject();
            out.writeBooleanField(name, true);
            out.writeEndObject();
        });
    }

    private static Reply server() {
        return Reply.json(out -> {
            out.writeStartObject();
            out.writeStringField("name", ModelMetadata.PLATFORM);
            out.writeStringField("version", ServerVersion.TEXT);
            out.writeArrayFieldStart("extensions");
            for (String extension : InferenceService.EXTENSIONS) {
                out.writeString(extension);
            }
            out.writeEndArray();
            out.writeEndObject();
        });
    }

    /** Ready when the server takes work and every model that was not unloaded answers. */
    private Reply ready() {
        if (inFlight.isDraining()) {
            throw new DrainingException();
        }
        for (Catalogue.Entry entry : catalogue.entries()) {
            if (entry.state() == Catalogue.State.LOADING || entry.state() == Catalogue.State.FAILED) {
                throw new RequestException(
                        ErrorType.UNHEALTHY,
                        "The model \"" + entry.name() + "\" does not answer: " + entry.reason() + ".");
            }
        }
        return flag("ready");
    }

    private Reply modelReady(String name, String version) {
        if (inFlight.isDraining()) {
            throw new DrainingException();
        }
        inference.metadata(name, version); // tells why it is not
        return Reply.json(out -> {
            out.writeStartObject();
            out.writeStringField("name", name);
            out.writeBooleanField("ready", true);
            out.writeEndObject();
        });
    }

    private static Reply metadata(ModelMetadata model) {
        return Reply.json(out -> {
            out.writeStartObject();
            out.writeStringField("name", model.name());
            out.writeArrayFieldStart("versions");
            out.writeString(ModelMetadata.VERSION);
            out.writeEndArray();
            out.writeStringField("platform", ModelMetadata.PLATFORM);
            for (boolean inputs : new boolean[] {true, false}) {
                out.writeArrayFieldStart(inputs ? "inputs" : "outputs");
                for (ModelMetadata.Tensor tensor : inputs ? model.inputs() : model.outputs()) {
                    out.writeStartObject();
                    out.writeStringField("name", tensor.name());
                    out.writeStringField("datatype", tensor.datatype().name());
                    writeShape("shape", tensor.shape(), out);
                    out.writeEndObject();
                }
                out.writeEndArray();
            }
            out.writeEndObject();
        });
    }

    static void writeShape(String field, List<Long> shape, JsonGenerator out) throws IOException {
        out.writeArrayFieldStart(field);
        for (long size : shape) {
            out.writeNumber(size);
        }
        out.writeEndArray();
    }

    /** Triton's model configuration, as far as its clients read it. */
    private static Reply configuration(ModelMetadata model) {
        return Reply.json(out -> {
            out.writeStartObject();
            out.writeStringField("name", model.name());
            out.writeStringField("platform", ModelMetadata.PLATFORM);
            out.writeStringField("backend", ModelMetadata.PLATFORM);
            out.writeNumberField("max_batch_size", 0);
            for (boolean inputs : new boolean[] {true, false}) {
                out.writeArrayFieldStart(inputs ? "input" : "output");
                for (ModelMetadata.Tensor tensor : inputs ? model.inputs() : model.outputs()) {
                    out.writeStartObject();
                    out.writeStringField("name", tensor.name());
                    out.writeStringField("data_type", tensor.datatype().configurationName());
                    writeShape("dims", tensor.shape(), out);
                    if (tensor.optional()) {
                        out.writeBooleanField("optional", true);
                    }
                    out.writeEndObject();
                }
                out.writeEndArray();
            }
            out.writeEndObject();
        });
    }

    private Reply statistics(String name, String version) {
        List<ModelStatistics> statistics = inference.statistics(name, version);
        return Reply.json(out -> {
            out.writeStartObject();
            out.writeArrayFieldStart("model_stats");
            for (ModelStatistics model : statistics) {
                out.writeStartObject();
                out.writeStringField("name", model.name());
                out.writeStringField("version", ModelMetadata.VERSION);
                out.writeNumberField("last_inference", model.lastInference());
                out.writeNumberField("inference_count", model.inferences());
                out.writeNumberField("execution_count", model.executions());
                out.writeObjectFieldStart("inference_stats");
                write("success", model.success(), out);
                write("fail", model.fail(), out);
                write("queue", model.queue(), out);
                write("compute_input", model.input(), out);
                write("compute_infer", model.inference(), out);
                write(
                        "compute_output",
                        new ModelStatistics.Times(model.success().count(), 0),
                        out);
                write("cache_hit", new ModelStatistics.Times(0, 0), out);
                write("cache_miss", new ModelStatistics.Times(0, 0), out);
                out.writeEndObject();
                out.writeArrayFieldStart("batch_stats");
                out.writeEndArray();
                out.writeEndObject();
            }
            out.writeEndArray();
            out.writeEndObject();
        });
    }

    private static void write(String name, ModelStatistics.Times times, JsonGenerator out) throws IOException {
        out.writeObjectFieldStart(name);
        out.writeNumberField("count", times.count());
        out.writeNumberField("ns", times.nanos());
        out.writeEndObject();
    }

    private Reply index(Exchange exchange) throws IOException {
        boolean onlyReady = exchange.parseOrEmpty(exchange.bytes()).flag("ready", false);
        List<Catalogue.Entry> entries = catalogue.entries().stream()
                .filter(entry -> !onlyReady || entry.state() == Catalogue.State.READY)
                .toList();
        return Reply.json(out -> {
            out.writeStartArray();
            for (Catalogue.Entry entry : entries) {
                out.writeStartObject();
                out.writeStringField("name", entry.name());
                out.writeStringField("version", ModelMetadata.VERSION);
                out.writeStringField("state", InferenceService.state(entry.state()));
                out.writeStringField("reason", entry.reason());
                out.writeEndObject();
            }
            out.writeEndArray();
        });
    }

    private Reply infer(Exchange exchange) throws IOException, InterruptedException {
        TensorBody body = TensorBody.read(exchange, name(exchange), version(exchange));
        InferenceRequest request = body.request();
        exchange.call().asks(request.parameters().with(exchange.call().options()));
        return body.answer(inference.infer(exchange.call(), request));
    }
}
