package io.gatun.http;

import io.gatun.edge.Edge;
import io.gatun.edge.ListenAddress;
import io.gatun.edge.ListenException;
import io.gatun.edge.TlsIdentity;
import io.gatun.inference.InferenceService;
import io.gatun.metrics.Metrics;
import io.gatun.service.ErrorType;
import io.gatun.service.Problem;
import io.gatun.service.RequestId;
import io.gatun.service.TextService;
import io.gatun.telemetry.Telemetry;
import io.helidon.common.socket.SocketOptions;
import io.helidon.common.tls.Tls;
import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderNames;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.encoding.ContentEncodingContext;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.http.DirectHandlers;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/** The HTTP server. Each request runs on a virtual thread of its own. */
public final class HttpServer implements AutoCloseable {
    // Helidon tells at INFO that it starts and at WARNING of every connection that breaks. That it cannot start is told
    // by an exception. Kept, or the levels are lost.
    private static final Logger HELIDON_LOGGER = Logger.getLogger("io.helidon");
    private static final Logger HELIDON_START_LOGGER = Logger.getLogger("io.helidon.webserver.LoomServer");
    private static final Logger HELIDON_LISTENER_LOGGER = Logger.getLogger("io.helidon.webserver.ServerListener");
    /** For connections on which nobody waits for an answer. */
    private static final Duration SHUTDOWN_GRACE = Duration.ofSeconds(1);

    private static final int MAX_PROLOGUE_BYTES = 8 << 10;
    private static final int BACKLOG = 1024;
    /** Connections that were closed and whose threads have not noticed yet. */
    private static final int CLOSING = 1024;

    private static final int MAX_MESSAGE = 200;

    private final WebServer server;
    private final ServerSettings settings;
    private final InFlight inFlight;
    private final Connections connections;
    private final boolean secure;

    private HttpServer(
            WebServer server, ServerSettings settings, InFlight inFlight, Connections connections, boolean secure) {
        this.server = server;
        this.secure = secure;
        this.settings = settings;
        this.inFlight = inFlight;
        this.connections = connections;
    }

    /**
     * Starts the server.
     *
     * @throws ListenException when it cannot listen
     */
    public static HttpServer start(
            ServerSettings settings,
            Edge edge,
            Telemetry telemetry,
            TextService service,
            InferenceService inference,
            Metrics metrics) {
        HELIDON_LOGGER.setLevel(Level.SEVERE);
        HELIDON_START_LOGGER.setLevel(Level.OFF);
        InFlight inFlight = new InFlight();
        ListenAddress listen = listenAddress(settings);
        InetAddress address = listen.resolve();
        Connections connections =
                new Connections(settings.maxConnections(), settings.idleTimeout(), settings.requestTimeout());
        try {
            // Helidon only logs that it cannot listen, and says that it has started.
            new ServerSocket(settings.port(), 1, address).close();
            WebServer server = build(settings, address, connections, edge.tls(), routing -> {
                        Routes routes =
                                new Routes(service, new RequestBody(settings), inFlight, edge, telemetry, routing);
                        register(routes, settings, service, inference, metrics, inFlight);
                    })
                    .start();
            if (!server.isRunning()) {
                throw new BindException("Address already in use");
            }
            return new HttpServer(
                    server, settings, inFlight, connections, edge.tls().isPresent());
        } catch (IOException | RuntimeException e) {
            connections.close();
            throw listen.refused(e);
        }
    }

    private static void register(
            Routes routes,
            ServerSettings settings,
            TextService service,
            InferenceService inference,
            Metrics metrics,
            InFlight inFlight) {
        TeiRoutes tei = new TeiRoutes(service);
        tei.register(routes);
        new HuggingFaceRoutes(service, tei, new Pipelines(service, tei)).register(routes);
        new OpenAiRoutes(service).register(routes);
        new InferenceRoutes(inference, service.catalogue(), inFlight).register(routes);
        new ServerRoutes(new ServerInfo(service.catalogue(), service.limits(), settings), metrics, inFlight)
                .register(routes);
        routes.end();
    }

    private static WebServer build(
            ServerSettings settings,
            InetAddress address,
            Connections connections,
            Optional<TlsIdentity> tls,
            Consumer<HttpRouting.Builder> routes) {
        WebServerConfig.Builder builder = WebServer.builder();
        tls.ifPresent(identity ->
                builder.tls(Tls.builder().sslContext(identity.context()).build()));
        return builder.address(address)
                .port(settings.port())
                .backlog(BACKLOG)
                .shutdownHook(false)
                .featuresDiscoverServices(false)
                .shutdownGracePeriod(SHUTDOWN_GRACE)
                .maxTcpConnections(settings.maxConnections() + CLOSING)
                .maxConcurrentRequests(settings.maxConnections() + CLOSING)
                .maxPayloadSize(RequestBody.MAX_DISCARDED)
                .connectionOptions(connections.watched(
                        SocketOptions.builder().tcpNoDelay(true).build()))
                .protocolsDiscoverServices(false)
                .addConnectionSelector(new ClientConnections(
                        Http1ConnectionSelector.builder()
                                .config(Http1Config.builder()
                                        .maxHeadersSize(settings.maxHeaderBytes())
                                        .maxPrologueLength(MAX_PROLOGUE_BYTES)
                                        .build())
                                .build(),
                        connections))
                .contentEncoding(ContentEncodingContext.builder()
                        .contentEncodingsDiscoverServices(false)
                        .addContentEncoding(CompressedBodies.GZIP)
                        .addContentEncoding(CompressedBodies.DEFLATE)
                        .build())
                .directHandlers(directHandlers())
                .routing(routes)
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
            io.helidon.http.Status status,
            ServerResponseHeaders headers,
            @Nullable String message) {
        Problem problem = problem(request, status, message == null ? "" : message);
        return DirectHandler.TransportResponse.builder()
                .status(io.helidon.http.Status.create(
                        problem.type() == ErrorType.MEDIA_TYPE ? Status.of(problem.type()) : status.code()))
                .headers(headers)
                .header(HeaderNames.CONTENT_TYPE, "application/json")
                .header(Routes.REQUEST_ID, RequestId.random())
                .keepAlive(false)
                .entity(ErrorStyle.PLAIN.body(problem))
                .build();
    }

    private static Problem problem(
            DirectHandler.TransportRequest request, io.helidon.http.Status status, String message) {
        if (request.headers().contains(HeaderNames.CONTENT_ENCODING)) {
            return new Problem(ErrorType.MEDIA_TYPE, "Send the body as it is, or in gzip or deflate.");
        }
        boolean own = status.code() == io.helidon.http.Status.INTERNAL_SERVER_ERROR_500.code()
                || status.code() == io.helidon.http.Status.SERVICE_UNAVAILABLE_503.code();
        String detail = message.isBlank() ? "" : ": " + message.substring(0, Math.min(message.length(), MAX_MESSAGE));
        return new Problem(
                own ? ErrorType.BACKEND : ErrorType.MALFORMED,
                "The request cannot be read (" + status.codeText() + " "
                        + status.reasonPhrase().toLowerCase(Locale.ROOT) + detail
                        + "); send HTTP/1.1 with a Host, short headers and a plain JSON body of moderate size.");
    }

    private static ListenAddress listenAddress(ServerSettings settings) {
        return new ListenAddress(settings.host(), settings.port(), "--port");
    }

    public int port() {
        return server.port();
    }

    /** The address with which a client on this machine reaches it. */
    public String address() {
        return listenAddress(settings).url(secure ? "https" : "http", port());
    }

    /** From now on new work is refused, and {@code /health} says so. Work in flight is answered. */
    public void drain() {
        inFlight.drain();
    }

    /**
     * Waits for the answers in flight, and then closes all connections. Until then whoever asks hears that the server is
     * ending.
     */
    @Override
    public void close() {
        drain();
        try {
            inFlight.awaitNone(settings.drainTimeout());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        // It would tell at SEVERE of each client that connects while it stops.
        HELIDON_LISTENER_LOGGER.setLevel(Level.OFF);
        server.stop();
        connections.close();
        HELIDON_LISTENER_LOGGER.setLevel(null);
    }
}
