package io.gatun.http;

import io.gatun.edge.Edge;
import io.gatun.service.CallerGoneException;
import io.gatun.service.ErrorType;
import io.gatun.service.Problem;
import io.gatun.service.RequestException;
import io.gatun.service.RequestId;
import io.gatun.service.TextService;
import io.gatun.telemetry.Door;
import io.gatun.telemetry.Telemetry;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Method;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.RoutingResponse;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;

/** What all routes have in common: keys, errors, request ids, answers, telemetry, and the end of the server. */
final class Routes {
    private static final Logger LOGGER = Logger.getLogger(Routes.class.getName());
    static final HeaderName REQUEST_ID = HeaderNames.create("x-request-id");

    private static final HeaderName ASKED_METHOD = HeaderNames.create("Access-Control-Request-Method");
    private static final Problem NOT_FOUND =
            new Problem(ErrorType.NOT_FOUND, "There is no such route; GET /openapi lists those that there are.");
    private static final Problem UNAUTHORIZED = new Problem(
            ErrorType.UNAUTHORIZED, "Send a key that this server knows, with the header Authorization: Bearer KEY.");
    /** What nginx logs of a client that left before its answer. */
    private static final String CLIENT_LEFT = "499";

    private final TextService service;
    private final RequestBody bodies;
    private final InFlight inFlight;
    private final Edge edge;
    private final Telemetry telemetry;
    private final HttpRouting.Builder routing;
    private final List<Route> all = new ArrayList<>();

    Routes(
            TextService service,
            RequestBody bodies,
            InFlight inFlight,
            Edge edge,
            Telemetry telemetry,
            HttpRouting.Builder routing) {
        this.service = service;
        this.bodies = bodies;
        this.inFlight = inFlight;
        this.edge = edge;
        this.telemetry = telemetry;
        this.routing = routing;
    }

    /** Answers a request. */
    @FunctionalInterface
    interface Answerer {
        Reply answer(Exchange exchange) throws IOException, InterruptedException;
    }

    /** A route whose answers a model computes: counted, timed, and refused while the server ends. */
    void task(String path, ErrorStyle style, Answerer answerer) {
        post(new Route("POST", path, style, true, false), exchange -> {
            try {
                Reply reply = answerer.answer(exchange);
                service.answered(exchange.call());
                return reply.with(exchange.call().timings().headers());
            } catch (UnreadableBodyException e) {
                service.failed(e.problem());
                throw e;
            } catch (RuntimeException e) {
                Problem.of(e).ifPresent(service::failed);
                throw e;
            }
        });
    }

    void post(String path, ErrorStyle style, Answerer answerer) {
        post(new Route("POST", path, style, false, false), answerer);
    }

    private void post(Route route, Answerer answerer) {
        all.add(route);
        routing.post(route.path(), answer(route.path(), route.style(), guarded(answerer)));
    }

    void get(String path, ErrorStyle style, Answerer answerer) {
        get(new Route("GET", path, style, false, false), guarded(answerer));
    }

    /** As {@link #get}, also for those who show no key. */
    void open(String path, ErrorStyle style, Answerer answerer) {
        get(new Route("GET", path, style, false, true), answerer);
    }

    private void get(Route route, Answerer answerer) {
        all.add(route);
        Handler handler = answer(route.path(), route.style(), answerer);
        routing.get(route.path(), handler);
        routing.route(Method.HEAD, route.path(), handler);
    }

    /** The answers to all that no route takes. */
    void end() {
        Map<String, String> methods = new LinkedHashMap<>();
        all.forEach(route -> methods.merge(route.path(), route.method(), (one, other) -> one + ", " + other));
        methods.forEach((path, allowed) ->
                routing.any(path, answer(path, ErrorStyle.PLAIN, exchange -> otherMethod(exchange, allowed))));
        routing.any(answer("", ErrorStyle.PLAIN, exchange -> Reply.error(NOT_FOUND, ErrorStyle.PLAIN)));
    }

    /** Describes all that are registered. */
    byte[] describe() {
        return OpenApi.of(all, edge.keys().required());
    }

    private Reply otherMethod(Exchange exchange, String allowed) {
        ServerRequest request = exchange.request();
        Method method = request.prologue().method();
        if (method.equals(Method.OPTIONS)) {
            Optional<Map<String, String>> preflight = edge.origins()
                    .preflight(
                            request.headers().first(HeaderNames.ORIGIN),
                            request.headers().first(ASKED_METHOD),
                            allowed);
            if (preflight.isPresent()) {
                return Reply.empty(preflight.get());
            }
        }
        String message = request.path().path() + " does not take " + method.text() + "; use " + allowed + ".";
        return Reply.error(new Problem(ErrorType.WRONG_METHOD, message), ErrorStyle.PLAIN)
                .with("Allow", allowed);
    }

    private Answerer guarded(Answerer answerer) {
        return exchange -> {
            if (!edge.keys().allow(exchange.request().headers().first(HeaderNames.AUTHORIZATION))) {
                throw new RequestException(UNAUTHORIZED);
            }
            return answerer.answer(exchange);
        };
    }

    private Handler answer(String route, ErrorStyle style, Answerer answerer) {
        return (request, response) -> {
            long start = System.nanoTime();
            Telemetry.Observation observation = telemetry.begin(
                    Door.HTTP,
                    request.prologue().method().text(),
                    route,
                    name -> request.headers().first(HeaderNames.create(name)),
                    start);
            Client client = client(request);
            try (InFlight.Flight flight = inFlight.flight();
                    RequestBody.Lease lease = bodies.lease()) {
                serve(
                        new Exchange(request, bodies, lease, flight, client, start),
                        style,
                        answerer,
                        response,
                        observation);
            } finally {
                client.isServed();
            }
        };
    }

    private void serve(
            Exchange exchange,
            ErrorStyle style,
            Answerer answerer,
            ServerResponse response,
            Telemetry.Observation observation) {
        ServerRequest request = exchange.request();
        String requestId = RequestId.of(request.headers().first(REQUEST_ID), observation.traceId());
        String status = CLIENT_LEFT;
        try {
            Reply reply = reply(style, answerer, exchange);
            boolean last = send(request, response, reply, requestId);
            status = Integer.toString(reply.status());
            if (last) {
                // Helidon ends what was written as a stream after its handlers, none of which come to their end here.
                if (response instanceof RoutingResponse written) {
                    written.commit();
                }
                // Helidon promises to close in its header, and leaves that to the client.
                throw new CloseConnectionException("This answer was the last");
            }
        } finally {
            observation.answered(
                    status,
                    requestId,
                    exchange.callIfAny(),
                    request.headers().contentLength().orElse(-1),
                    response.isSent() ? response.bytesWritten() : -1);
        }
    }

    private Reply reply(ErrorStyle style, Answerer answerer, Exchange exchange) {
        try {
            return answerer.answer(exchange);
        } catch (CloseConnectionException e) {
            throw e;
        } catch (CallerGoneException | IOException | UncheckedIOException e) {
            throw new CloseConnectionException("The client left", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CloseConnectionException("The server ends", e);
        } catch (UnreadableBodyException e) {
            return Reply.error(e.problem(), style).last();
        } catch (RuntimeException | OutOfMemoryError e) {
            return Reply.error(Problem.of(e).orElseGet(() -> unexpected(e)), style);
        }
    }

    private static Client client(ServerRequest request) {
        if (request.remotePeer() instanceof Client client) {
            return client;
        }
        throw new IllegalStateException("a connection that is none of ours");
    }

    private Problem unexpected(Throwable e) {
        LOGGER.log(Level.SEVERE, "A request failed for no fault of its own", e);
        service.failed(Problem.unexpected());
        return Problem.unexpected();
    }

    /** Whether nothing more may come over the connection. */
    private boolean send(ServerRequest request, ServerResponse response, Reply reply, String requestId) {
        response.status(io.helidon.http.Status.create(reply.status()));
        response.header(REQUEST_ID, requestId);
        edge.origins()
                .headers(request.headers().first(HeaderNames.ORIGIN))
                .forEach((name, value) -> response.header(HeaderNames.create(name), value));
        reply.headers().forEach((name, value) -> response.header(HeaderNames.create(name), value));
        boolean unread = request.content().hasEntity() && !request.content().consumed();
        // A client that waits for leave to send its body must not send it now: it would be read as the next request.
        boolean waits = unread && request.headers().containsToken(HeaderValues.EXPECT_100);
        boolean ends = waits || inFlight.isDraining();
        boolean last = ends || reply.isLast() || request.headers().containsToken(HeaderValues.CONNECTION_CLOSE);
        if (ends) {
            response.header(HeaderValues.CONNECTION_CLOSE);
        }
        sendBody(request, response, reply);
        if (last && unread && !waits && !reply.isLast()) {
            // Closed with bytes unread, the connection would be reset and the answer lost.
            request.content().consume();
        }
        return last;
    }

    private static void sendBody(ServerRequest request, ServerResponse response, Reply reply) {
        if (reply.isEmpty()) {
            response.send();
            return;
        }
        response.header(HeaderNames.CONTENT_TYPE, reply.contentType());
        if (request.prologue().method().equals(Method.HEAD)) {
            response.send();
        } else if (reply.large() != null) {
            try (OutputStream out = response.outputStream()) {
                Json.write(reply.large(), out);
            } catch (IOException e) {
                throw new CloseConnectionException("The client left", e);
            }
        } else {
            response.send(reply.body());
        }
    }
}
