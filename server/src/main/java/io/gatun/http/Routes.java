package io.gatun.http;

import io.gatun.batch.DrainingException;
import io.gatun.metrics.Metrics;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Method;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Every route there is, and what all have in common: request ids, errors, answers. */
final class Routes {
    private static final Logger LOGGER = Logger.getLogger(Routes.class.getName());
    private static final HeaderName REQUEST_ID = HeaderNames.create("x-request-id");
    private static final int MAX_REQUEST_ID = 128;
    private static final HeaderName TRACE_PARENT_HEADER = HeaderNames.create("traceparent");
    private static final Pattern TRACE_PARENT =
            Pattern.compile("[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?");
    private static final String TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8";

    private final PredictHandler predict;
    private final TokenizeHandler tokenize;
    private final InfoHandler info;
    private final Metrics metrics;
    private final RequestBody body;
    private final InFlight inFlight;
    private final byte[] openapi = openapi();

    Routes(
            PredictHandler predict,
            TokenizeHandler tokenize,
            InfoHandler info,
            Metrics metrics,
            RequestBody body,
            InFlight inFlight) {
        this.predict = predict;
        this.tokenize = tokenize;
        this.info = info;
        this.metrics = metrics;
        this.body = body;
        this.inFlight = inFlight;
    }

    void register(HttpRouting.Builder routing) {
        task(routing, "/predict", predict::handle);
        task(routing, "/tokenize", tokenize::tokenize);
        task(routing, "/decode", tokenize::decode);
        look(routing, "/info", info::handle);
        look(routing, "/health", this::health);
        look(routing, "/metrics", this::scrape);
        look(routing, "/openapi", () -> Reply.json(openapi));
        routing.any(answer((request, flight) -> Reply.error(Problem.notFound())));
    }

    /** Answers the object of a request's body. */
    @FunctionalInterface
    private interface TaskHandler {
        Reply handle(Fields fields, Client client, long start) throws InterruptedException;
    }

    /** Answers a request. */
    @FunctionalInterface
    private interface Answerer {
        Reply answer(ServerRequest request, InFlight.Flight flight) throws IOException, InterruptedException;
    }

    private void task(HttpRouting.Builder routing, String path, TaskHandler handler) {
        routing.post(path, answer((request, flight) -> {
            try (RequestBody.Lease lease = body.lease()) {
                long start = System.nanoTime();
                Fields fields = body.read(request, lease);
                flight.begins();
                if (inFlight.isDraining()) {
                    throw new DrainingException();
                }
                return handler.handle(fields, client(request), start);
            } catch (RuntimeException e) {
                Problem.of(e)
                        .ifPresent(problem -> metrics.failure(problem.type().counted()));
                throw e;
            }
        }));
        wrongMethod(routing, path, "POST");
    }

    private static Client client(ServerRequest request) {
        if (request.remotePeer() instanceof Client client) {
            return client;
        }
        throw new IllegalStateException("a connection that is none of ours");
    }

    private void look(HttpRouting.Builder routing, String path, Supplier<Reply> reply) {
        routing.get(path, answer((request, flight) -> reply.get()));
        routing.route(Method.HEAD, path, answer((request, flight) -> reply.get()));
        wrongMethod(routing, path, "GET");
    }

    private void wrongMethod(HttpRouting.Builder routing, String path, String allowed) {
        routing.any(
                path,
                answer((request, flight) -> Reply.error(
                        Problem.wrongMethod(request.prologue().method().text(), path, allowed))));
    }

    private Handler answer(Answerer answerer) {
        return (request, response) -> {
            try (InFlight.Flight flight = inFlight.flight()) {
                send(request, response, reply(answerer, request, flight));
            }
        };
    }

    private Reply reply(Answerer answerer, ServerRequest request, InFlight.Flight flight) {
        try {
            return answerer.answer(request, flight);
        } catch (CloseConnectionException e) {
            throw e;
        } catch (IOException | UncheckedIOException e) {
            throw new CloseConnectionException("The client left", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CloseConnectionException("The server ends", e);
        } catch (RuntimeException | OutOfMemoryError e) {
            return Reply.error(Problem.of(e).orElseGet(() -> unexpected(e)));
        }
    }

    private Problem unexpected(Throwable e) {
        LOGGER.log(Level.SEVERE, "A request failed for no fault of its own", e);
        metrics.failure(ErrorType.BACKEND.counted());
        return Problem.unexpected();
    }

    private void send(ServerRequest request, ServerResponse response, Reply reply) {
        response.status(Status.create(reply.status()));
        response.header(HeaderNames.CONTENT_TYPE, reply.contentType());
        response.header(REQUEST_ID, requestId(request));
        for (Map.Entry<String, String> header : reply.headers().entrySet()) {
            response.header(HeaderNames.create(header.getKey()), header.getValue());
        }
        boolean unread = request.content().hasEntity() && !request.content().consumed();
        // A client that waits for leave to send its body must not send it now: it would be read as the next request.
        boolean waits = unread && request.headers().containsToken(HeaderValues.EXPECT_100);
        boolean ends = waits || inFlight.isDraining();
        boolean last = ends || reply.last() || request.headers().containsToken(HeaderValues.CONNECTION_CLOSE);
        if (ends) {
            response.header(HeaderValues.CONNECTION_CLOSE);
        }
        if (request.prologue().method().equals(Method.HEAD)) {
            response.send();
        } else {
            response.send(reply.body());
        }
        if (last) {
            if (unread && !waits && !reply.last()) {
                // Closed with bytes unread, the connection would be reset and the answer lost.
                request.content().consume();
            }
            // Helidon promises to close in its header, and leaves that to the client.
            throw new CloseConnectionException("This answer was the last");
        }
    }

    private static String requestId(ServerRequest request) {
        String given = request.headers().first(REQUEST_ID).orElseGet(() -> traceId(request));
        if (!given.isEmpty()
                && given.length() <= MAX_REQUEST_ID
                && given.chars().allMatch(c -> c >= ' ' && c <= '~')) {
            return given;
        }
        return newRequestId();
    }

    static String newRequestId() {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        HexFormat hex = HexFormat.of();
        return hex.toHexDigits(random.nextLong()) + hex.toHexDigits(random.nextLong());
    }

    /** Of W3C's {@code traceparent}, or nothing. */
    private static String traceId(ServerRequest request) {
        Matcher parent = TRACE_PARENT.matcher(
                request.headers().first(TRACE_PARENT_HEADER).orElse(""));
        return parent.matches() ? parent.group(1) : "";
    }

    private Reply health() {
        if (inFlight.isDraining()) {
            throw new DrainingException();
        }
        return Reply.json(Json.bytes(out -> {
            out.writeStartObject();
            out.writeStringField("status", "ok");
            out.writeEndObject();
        }));
    }

    private Reply scrape() {
        return new Reply(200, TEXT_FORMAT, metrics.scrape().getBytes(StandardCharsets.UTF_8), Map.of());
    }

    private static byte[] openapi() {
        try (InputStream stream = Routes.class.getResourceAsStream("openapi.json")) {
            if (stream == null) {
                throw new IllegalStateException("This build lacks openapi.json");
            }
            return stream.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
