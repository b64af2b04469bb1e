package io.gatun.http;

import io.gatun.batch.DrainingException;
import io.gatun.metrics.Metrics;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** What tells of the server itself. */
final class ServerRoutes {
    private static final String TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8";

    private final ServerInfo info;
    private final Metrics metrics;
    private final InFlight inFlight;
    private final Docs docs = new Docs();
    private final Playground playground = new Playground();
    private byte @Nullable [] openapi;

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
        routes.open("/openapi", ErrorStyle.PLAIN, exchange -> Reply.of("application/json", openapi(routes)));
        routes.open("/", ErrorStyle.PLAIN, exchange -> playground.page());
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

    /** Made when somebody asks for it, which few do. */
    private synchronized byte[] openapi(Routes routes) {
        byte[] known = openapi;
        if (known == null) {
            known = routes.describe();
            openapi = known;
        }
        return known;
    }
}
