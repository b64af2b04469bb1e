package io.gatun.http;

import io.gatun.batch.Catalogue;
import io.gatun.metrics.Metrics;
import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderNames;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.Status;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.DirectHandlers;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The HTTP server. Each request runs on a virtual thread of its own. */
public final class HttpServer implements AutoCloseable {
    // Helidon tells at INFO that it starts, and at WARNING of every connection that breaks; that it cannot start is
    // told
    // by an exception. Kept, or the levels are lost.
    private static final Logger HELIDON_LOGGER = Logger.getLogger("io.helidon");
    private static final Logger HELIDON_START_LOGGER = Logger.getLogger("io.helidon.webserver.LoomServer");
    private static final Duration SHUTDOWN_GRACE = Duration.ofSeconds(10);
    private static final int MAX_HEADER_BYTES = 16 << 10;
    private static final int MAX_PROLOGUE_BYTES = 8 << 10;
    private static final int BACKLOG = 1024;

    private final WebServer server;
    private final String host;
    private final AtomicBoolean draining;

    private HttpServer(WebServer server, String host, AtomicBoolean draining) {
        this.server = server;
        this.host = host;
        this.draining = draining;
    }

    /**
     * Starts the server.
     *
     * @throws ServerException when it cannot listen
     */
    public static HttpServer start(ServerSettings settings, Catalogue models, Metrics metrics) {
        HELIDON_LOGGER.setLevel(Level.SEVERE);
        HELIDON_START_LOGGER.setLevel(Level.OFF);
        AtomicBoolean draining = new AtomicBoolean();
        Models named = new Models(models);
        Routes routes = new Routes(
                new PredictHandler(named, metrics, settings),
                new TokenizeHandler(named, settings),
                new InfoHandler(models, settings),
                metrics,
                new RequestBody(settings.maxBodyBytes()),
                draining);
        InetAddress address = address(settings.host());
        try {
            // Helidon only logs that it cannot listen, and says that it has started.
            new ServerSocket(settings.port(), 1, address).close();
            WebServer server = build(settings, address, routes).start();
            if (!server.isRunning()) {
                throw new BindException("Another program was faster");
            }
            return new HttpServer(server, settings.host(), draining);
        } catch (IOException | RuntimeException e) {
            throw new ServerException(
                    "Cannot listen on " + settings.host() + ":" + settings.port() + ": " + cause(e)
                            + "; choose another address with --host or --port.",
                    e);
        }
    }

    private static WebServer build(ServerSettings settings, InetAddress address, Routes routes) {
        return WebServer.builder()
                .address(address)
                .port(settings.port())
                .backlog(BACKLOG)
                .shutdownHook(false)
                .featuresDiscoverServices(false)
                .shutdownGracePeriod(SHUTDOWN_GRACE)
                .maxTcpConnections(settings.maxConnections())
                .maxConcurrentRequests(settings.maxConnections())
                .maxPayloadSize(RequestBody.MAX_DISCARDED)
                .idleConnectionTimeout(settings.idleTimeout())
                .connectionOptions(options -> options.tcpNoDelay(true).readTimeout(settings.idleTimeout()))
                .protocolsDiscoverServices(false)
                .addConnectionSelector(new ClientConnections(Http1ConnectionSelector.builder()
                        .config(Http1Config.builder()
                                .maxHeadersSize(MAX_HEADER_BYTES)
                                .maxPrologueLength(MAX_PROLOGUE_BYTES)
                                .build())
                        .build()))
                .directHandlers(directHandlers())
                .routing(routes::register)
                .build();
    }

    /** What is answered to requests that never reach a route. */
    private static DirectHandlers directHandlers() {
        DirectHandlers.Builder handlers = DirectHandlers.builder();
        for (DirectHandler.EventType type : DirectHandler.EventType.values()) {
            handlers.addHandler(type, HttpServer::refuse);
        }
        return handlers.build();
    }

    private static DirectHandler.TransportResponse refuse(
            DirectHandler.TransportRequest request,
            DirectHandler.EventType type,
            Status status,
            ServerResponseHeaders headers,
            String message) {
        ErrorType error = status.code() == ErrorType.BODY_TOO_LARGE.status()
                ? ErrorType.BODY_TOO_LARGE
                : status.code() >= Status.INTERNAL_SERVER_ERROR_500.code() ? ErrorType.BACKEND : ErrorType.MALFORMED;
        Problem problem = new Problem(
                error,
                "The request cannot be read (" + status.reasonPhrase().toLowerCase(Locale.ROOT)
                        + "); send HTTP/1.1 with JSON of moderate size.");
        return DirectHandler.TransportResponse.builder()
                .status(status)
                .headers(headers)
                .header(HeaderNames.CONTENT_TYPE, "application/json")
                .keepAlive(false)
                .entity(Json.error(problem))
                .build();
    }

    private static InetAddress address(String host) {
        try {
            return InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            throw new ServerException("The host " + host + " is unknown; choose another with --host.", e);
        }
    }

    private static String cause(Throwable e) {
        Throwable root = e;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        String message = root.getMessage();
        return message == null ? root.getClass().getSimpleName() : message;
    }

    public int port() {
        return server.port();
    }

    /** The address with which a client on this machine reaches it. */
    public String address() {
        return "http://" + (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port();
    }

    /** From now on new work is refused, and {@code /health} says so. Work in flight is answered. */
    public void drain() {
        draining.set(true);
    }

    /** Waits a while for answers in flight, then closes all connections. */
    @Override
    public void close() {
        drain();
        server.stop();
    }
}
