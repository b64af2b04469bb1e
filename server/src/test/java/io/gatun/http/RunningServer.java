package io.gatun.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.gatun.batch.Catalogue;
import io.gatun.batch.LaneSettings;
import io.gatun.batch.Lanes;
import io.gatun.batch.ServedModel;
import io.gatun.kernel.Compute;
import io.gatun.kernel.TensorType;
import io.gatun.metrics.Metrics;
import io.gatun.model.Converter;
import io.gatun.model.ModelSource;
import io.gatun.model.TextModel;
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
import java.util.List;
import java.util.Objects;

/** A real server on a free port, with the small model of several heads and one that only has a token head. */
final class RunningServer implements AutoCloseable {
    static final JsonMapper MAPPER = new JsonMapper();
    static final Path CHECKPOINT = resource("/io/gatun/model/distilbert-heads-small");

    final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    final Catalogue catalogue;
    final Metrics metrics = new Metrics();
    final HttpServer server;
    private final Path folder;

    RunningServer() {
        this(ServerSettings.of("127.0.0.1", 0));
    }

    RunningServer(ServerSettings settings) {
        try {
            folder = Files.createTempDirectory("gatun-http");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        catalogue = new Catalogue(
                List.of(serve("small", CHECKPOINT), serve("tags", resource("/io/gatun/model/distilbert-token-small"))));
        server = HttpServer.start(settings, catalogue, metrics);
    }

    private ServedModel serve(String name, Path checkpoint) {
        Path file = folder.resolve(name + ".gguf");
        Converter.convert(checkpoint, file, TensorType.F32, (done, total) -> {});
        TextModel model = TextModel.load(name, ModelSource.file(file), Compute.F32);
        LaneSettings settings = LaneSettings.of(model, 1);
        Lanes lanes = Lanes.start(model, settings, metrics);
        metrics.model(
                name,
                lanes::queuedJobs,
                () -> model.kernel().bytes() + lanes.bytes(),
                lanes::busyRatio,
                lanes::abandonedJobs,
                model.loadTime());
        return new ServedModel(model, lanes);
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

    private static Path resource(String name) {
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
