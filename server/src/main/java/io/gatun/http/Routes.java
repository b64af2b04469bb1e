package io.gatun.http;

import io.gatun.service.Call;
import io.gatun.service.CallerGoneException;
import io.gatun.service.ErrorType;
import io.gatun.service.Problem;
import io.gatun.service.TextService;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Method;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;

/** What all routes have in common: errors, request ids, answers, and the end of the server. */
final class Routes {
    private static final Logger LOGGER = Logger.getLogger(Routes.class.getName());

    private final TextService service;
    private final RequestBody bodies;
    private final InFlight inFlight;
    private final HttpRouting.Builder routing;
    private final Map<String, List<String>> methods = new LinkedHashMap<>();

    Routes(TextService service, RequestBody bodies, InFlight inFlight, HttpRouting.Builder routing) {
        this.service = service;
        this.bodies = bodies;
        this.inFlight = inFlight;
        this.routing = routing;
    }

    /** Answers a request. */
    @FunctionalInterface
    interface Answerer {
        Reply answer(Exchange exchange) throws IOException, InterruptedException;
    }

    /** A route whose answers a model computes: counted, timed, and refused while the server ends. */
    void task(String path, ErrorStyle style, Answerer answerer) {
        post(path, style, exchange -> {
            try {
                Reply reply = answerer.answer(exchange);
                service.answered(exchange.call());
                return TimeHeaders.add(reply, exchange.call().timings());
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
        methods.computeIfAbsent(path, p -> new ArrayList<>()).add("POST");
        routing.post(path, answer(style, answerer));
    }

    void get(String path, ErrorStyle style, Answerer answerer) {
        methods.computeIfAbsent(path, p -> new ArrayList<>()).add("GET");
        routing.get(path, answer(style, answerer));
        routing.route(Method.HEAD, path, answer(style, answerer));
    }

    /** The answers to all that no route takes. */
    void end() {
        methods.forEach((path, allowed) -> routing.any(path, (request, response) -> {
            String list = String.join(", ", allowed);
            Problem problem = new Problem(
                    ErrorType.WRONG_METHOD,
                    request.path().path() + " does not take "
                            + request.prologue().method().text() + "; use " + list + ".");
            send(request, response, Reply.error(problem, ErrorStyle.PLAIN).with("Allow", list));
        }));
        Problem none =
                new Problem(ErrorType.NOT_FOUND, "There is no such route; GET /openapi lists those that there are.");
        routing.any((request, response) -> send(request, response, Reply.error(none, ErrorStyle.PLAIN)));
    }

    private Handler answer(ErrorStyle style, Answerer answerer) {
        return (request, response) -> {
            long start = System.nanoTime();
            try (InFlight.Flight flight = inFlight.flight();
                    RequestBody.Lease lease = bodies.lease()) {
                send(request, response, reply(style, answerer, request, flight, lease, start));
            } finally {
                client(request).isServed();
            }
        };
    }

    private Reply reply(
            ErrorStyle style,
            Answerer answerer,
            ServerRequest request,
            InFlight.Flight flight,
            RequestBody.Lease lease,
            long start) {
        try {
            Client client = client(request);
            Call call = new Call(client, CallHeaders.read(request), start);
            return answerer.answer(new Exchange(request, bodies, lease, flight, client, call));
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

    private void send(ServerRequest request, ServerResponse response, Reply reply) {
        response.status(io.helidon.http.Status.create(reply.status()));
        response.header(HeaderNames.CONTENT_TYPE, reply.contentType());
        response.header(RequestId.HEADER, RequestId.of(request));
        reply.headers().forEach((name, value) -> response.header(HeaderNames.create(name), value));
        boolean unread = request.content().hasEntity() && !request.content().consumed();
        // A client that waits for leave to send its body must not send it now: it would be read as the next request.
        boolean waits = unread && request.headers().containsToken(HeaderValues.EXPECT_100);
        boolean ends = waits || inFlight.isDraining();
        boolean last = ends || reply.isLast() || request.headers().containsToken(HeaderValues.CONNECTION_CLOSE);
        if (ends) {
            response.header(HeaderValues.CONNECTION_CLOSE);
        }
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
        if (last) {
            if (unread && !waits && !reply.isLast()) {
                // Closed with bytes unread, the connection would be reset and the answer lost.
                request.content().consume();
            }
            // Helidon promises to close in its header, and leaves that to the client.
            throw new CloseConnectionException("This answer was the last");
        }
    }
}
