package io.gatun.http;

import io.gatun.batch.DrainingException;
import io.gatun.metrics.Metrics;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** What tells of the server itself. */
final class ServerRoutes {
    private static final String TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8";

    private final ServerInfo info;
    private final Metrics metrics;
    private final InFlight inFlight;
    private final byte[] openapi = openapi();
    private final Docs docs = new Docs();

    ServerRoutes(ServerInfo info, Metrics metrics, InFlight inFlight) {
        this.info = info;
        this.metrics = metrics;
        this.inFlight = inFlight;
    }

    void register(Routes routes) {
        routes.get("/info", ErrorStyle.PLAIN, exchange -> Reply.json(info::write));
        routes.open("/health", ErrorStyle.PLAIN, exchange -> health());
        routes.open(
                "/metrics",
                ErrorStyle.PLAIN,
                exchange -> Reply.of(TEXT_FORMAT, metrics.scrape().getBytes(StandardCharsets.UTF_8)));
        routes.open("/openapi", ErrorStyle.PLAIN, exchange -> Reply.of("application/json", openapi));
        routes.open("/docs", ErrorStyle.PLAIN, exchange -> docs.page());
        routes.open("/docs/{file}", ErrorStyle.PLAIN, exchange -> docs.file(exchange.path("file")));
    }

    private Reply health() {
        if (inFlight.isDraining()) {
            throw new DrainingException();
        }
        return Reply.json(out -> {
            out.writeStartObject();
            out.writeStringField("status", "ok");
            out.writeEndObject();
        });
    }

    private static byte[] openapi() {
        try (InputStream stream = ServerRoutes.class.getResourceAsStream("openapi.json")) {
            if (stream == null) {
                throw new IllegalStateException("This build lacks openapi.json");
            }
            return stream.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
