package io.gatun.telemetry;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.resource.v1.Resource;
import io.opentelemetry.proto.trace.v1.Span;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A collector of OpenTelemetry's over HTTP, which keeps what it gets. */
public final class Collector implements AutoCloseable {
    private final List<ExportTraceServiceRequest> requests = new CopyOnWriteArrayList<>();
    private final HttpServer server;

    public Collector() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext("/v1/traces", this::receive);
        server.start();
    }

    public String address() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private void receive(HttpExchange exchange) throws IOException {
        try (exchange) {
            requests.add(ExportTraceServiceRequest.parseFrom(exchange.getRequestBody()));
            exchange.sendResponseHeaders(200, -1);
        }
    }

    public boolean isEmpty() {
        return requests.isEmpty();
    }

    private Stream<Span> spans() {
        return requests.stream()
                .flatMap(r -> r.getResourceSpansList().stream())
                .flatMap(r -> r.getScopeSpansList().stream())
                .flatMap(s -> s.getSpansList().stream());
    }

    /** The one span of that name. */
    public Span span(String name) {
        List<Span> named = spans().filter(s -> s.getName().equals(name)).toList();
        if (named.size() != 1) {
            throw new AssertionError(named.size() + " spans are called " + name + " among "
                    + spans().map(Span::getName).toList());
        }
        return named.getFirst();
    }

    /** The names of a span's children. */
    public List<String> children(Span parent) {
        return spans().filter(s -> s.getParentSpanId().equals(parent.getSpanId()))
                .map(Span::getName)
                .toList();
    }

    Resource resource() {
        return requests.getFirst().getResourceSpans(0).getResource();
    }

    public static Map<String, String> attributes(List<KeyValue> attributes) {
        return attributes.stream()
                .collect(Collectors.toMap(
                        KeyValue::getKey,
                        a -> a.getValue().hasIntValue()
                                ? Long.toString(a.getValue().getIntValue())
                                : a.getValue().getStringValue()));
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
