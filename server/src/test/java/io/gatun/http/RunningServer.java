package io.gatun.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.gatun.batch.BatchListener;
import io.gatun.batch.LaneSettings;
import io.gatun.batch.Lanes;
import io.gatun.edge.Edge;
import io.gatun.inference.InferenceService;
import io.gatun.kernel.Compute;
import io.gatun.kernel.TensorType;
import io.gatun.metrics.Metrics;
import io.gatun.model.Converter;
import io.gatun.model.ModelSource;
import io.gatun.model.TextModel;
import io.gatun.service.Catalogue;
import io.gatun.service.ModelLoader;
import io.gatun.service.ServiceLimits;
import io.gatun.service.TextService;
import io.gatun.telemetry.Telemetry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;

/** A real server on a free port, with the small model of several heads and one that only has a token head. */
final class RunningServer implements AutoCloseable {
    static final JsonMapper MAPPER = new JsonMapper();
    static final Path CHECKPOINT = resource("/io/gatun/model/distilbert-heads-small");

    final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    final Catalogue catalogue;
    final Metrics metrics = new Metrics();
    final TextService service;
    final HttpServer server;
    private final Path folder;

    RunningServer() {
        this(ServerSettings.of("127.0.0.1", 0));
    }

    RunningServer(ServerSettings settings) {
        this(settings, Edge.OPEN, Telemetry.off(), Optional.empty());
    }

    RunningServer(Edge edge, Telemetry telemetry) {
        this(ServerSettings.of("127.0.0.1", 0), edge, telemetry, Optional.empty());
    }

    /** With one who hears of the batches. */
    RunningServer(BatchListener listener) {
        this(ServerSettings.of("127.0.0.1", 0), Edge.OPEN, Telemetry.off(), Optional.of(listener));
    }

    /** With other models, by name, the default one first. */
    RunningServer(Compute compute, Map<String, ModelSource> sources) {
        this(ServerSettings.of("127.0.0.1", 0), Edge.OPEN, Telemetry.off(), Optional.empty(), compute, _ -> sources);
    }

    private RunningServer(ServerSettings settings, Edge edge, Telemetry telemetry, Optional<BatchListener> listener) {
        this(settings, edge, telemetry, listener, Compute.F32, RunningServer::smallModels);
    }

    private RunningServer(
            ServerSettings settings,
            Edge edge,
            Telemetry telemetry,
            Optional<BatchListener> listener,
            Compute compute,
            Function<Path, Map<String, ModelSource>> sources) {
        try {
            folder = Files.createTempDirectory("gatun-http");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        catalogue = new Catalogue(
                sources.apply(folder),
                new ModelLoader(
                        compute,
                        model -> LaneSettings.of(model, 1),
                        Long.MAX_VALUE,
                        listener.orElse(metrics),
                        metrics));
        service = new TextService(catalogue, metrics, ServiceLimits.DEFAULT);
        server = HttpServer.start(settings, edge, telemetry, service, new InferenceService(service), metrics);
    }

    private static Map<String, ModelSource> smallModels(Path folder) {
        Map<String, ModelSource> sources = new LinkedHashMap<>();
        sources.put("small", convert(folder, "small", CHECKPOINT));
        sources.put("tags", convert(folder, "tags", resource("/io/gatun/model/distilbert-token-small")));
        return sources;
    }

    /** A Hugging Face folder as a model in another folder. */
    static ModelSource convert(Path folder, String name, Path checkpoint) {
        Path file = folder.resolve(name + ".gguf");
        Converter.convert(checkpoint, file, TensorType.F32, (done, total) -> {});
        return ModelSource.file(file);
    }

    /** The model that answers requests that name none. */
    TextModel model() {
        try (Catalogue.Lease lease = catalogue.lease(Optional.empty())) {
            return lease.served().model();
        }
    }

    /** Its lanes. */
    Lanes lanes() {
        try (Catalogue.Lease lease = catalogue.lease(Optional.empty())) {
            return lease.served().lanes();
        }
    }

    URI uri(String path) {
        return URI.create(server.address() + path);
    }

    HttpResponse<String> post(String path, String json) {
        return send(
                request(path).POST(HttpRequest.BodyPublishers.ofString(json)).build());
    }

    HttpResponse<String> get(String path) {
        return send(HttpRequest.newBuilder(uri(path)).build());
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(uri(path)).header("Content-Type", "application/json");
    }

    HttpResponse<String> send(HttpRequest request) {
        try {
            return client.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    static JsonNode json(HttpResponse<String> response) {
        return json(response.body());
    }

    static JsonNode json(String text) {
        try {
            return MAPPER.readTree(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Path resource(String name) {
        URL url = Objects.requireNonNull(RunningServer.class.getResource(name), name);
        try {
            return Path.of(url.toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        client.close();
        server.close();
        service.close();
        catalogue.close();
        try {
            for (String name : List.of("small", "tags")) {
                Files.deleteIfExists(folder.resolve(name + ".gguf"));
            }
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
