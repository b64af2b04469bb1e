package io.gatun.telemetry;

import io.gatun.service.Call;
import io.gatun.service.ServerVersion;
import io.gatun.service.Timings;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigurationException;
import io.opentelemetry.sdk.resources.Resource;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * One span a request, with its stages as children, by OpenTelemetry's SDK as its environment variables set it up. Names
 * are those of OpenTelemetry's semantic conventions for HTTP and RPC servers.
 */
final class OpenTelemetryTracing implements Tracing {
    private static final String SCOPE = "io.gatun";
    // It tells at INFO, with a stack, what its exception tells. Kept, or the level is lost.
    private static final Logger SETUP_LOGGER = Logger.getLogger("io.opentelemetry.sdk.autoconfigure");
    private static final Duration LAST_SPANS = Duration.ofSeconds(2);
    private static final int BACKEND_FAILED = 424;
    private static final int SERVER_ERROR = 500;
    /** Those statuses of gRPC that are the server's fault. */
    private static final Set<String> SERVER_FAULTS =
            Set.of("UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS");

    private static final TextMapGetter<RequestHeaders> GETTER =
            (headers, name) -> headers == null ? null : headers.first(name).orElse(null);

    private final OpenTelemetrySdk sdk;
    private final Tracer tracer;

    OpenTelemetryTracing(Map<String, String> environment) {
        Map<String, String> properties = properties(environment);
        SETUP_LOGGER.setLevel(Level.WARNING);
        try {
            sdk = AutoConfiguredOpenTelemetrySdk.builder()
                    .disableShutdownHook()
                    .addPropertiesCustomizer(ignored -> properties)
                    .addResourceCustomizer((resource, ignored) -> version().merge(resource))
                    .build()
                    .getOpenTelemetrySdk();
        } catch (ConfigurationException | IllegalArgumentException e) {
            throw new TelemetryException(
                    "OpenTelemetry's environment variables cannot be followed: " + e.getMessage(), e);
        }
        tracer = sdk.getTracer(SCOPE);
    }

    /** The environment, under the names that properties have, and what is ours to choose where it says nothing. */
    private static Map<String, String> properties(Map<String, String> environment) {
        Map<String, String> properties = new HashMap<>();
        // Metrics are for Prometheus to fetch, and logs go to standard error.
        properties.put("otel.metrics.exporter", "none");
        properties.put("otel.logs.exporter", "none");
        properties.put("otel.exporter.otlp.protocol", "http/protobuf"); // as the specification would have it
        if (!environment.getOrDefault("OTEL_RESOURCE_ATTRIBUTES", "").contains("service.name=")) {
            properties.put("otel.service.name", "gatun");
        }
        environment.forEach((name, value) -> {
            if (name.startsWith("OTEL_") && !value.isBlank()) {
                properties.put(name.toLowerCase(Locale.ROOT).replace('_', '.'), value);
            }
        });
        return properties;
    }

    private static Resource version() {
        return Resource.create(Attributes.of(AttributeKey.stringKey("service.version"), ServerVersion.TEXT));
    }

    @Override
    public Trace begin(Door door, String method, String route, RequestHeaders headers, Instant start) {
        Context parent = sdk.getPropagators().getTextMapPropagator().extract(Context.root(), headers, GETTER);
        String name = (method + " " + route).strip();
        SpanBuilder builder = tracer.spanBuilder(name.isEmpty() ? "unknown" : name)
                .setParent(parent)
                .setSpanKind(SpanKind.SERVER)
                .setStartTimestamp(start);
        switch (door) {
            case HTTP -> {
                builder.setAttribute("http.request.method", method);
                if (!route.isEmpty()) {
                    builder.setAttribute("http.route", route);
                }
            }
            case GRPC -> {
                builder.setAttribute("rpc.system", "grpc");
                builder.setAttribute("rpc.service", route.substring(0, Math.max(0, route.indexOf('/'))));
                builder.setAttribute("rpc.method", route.substring(route.indexOf('/') + 1));
            }
        }
        return new Running(builder.startSpan());
    }

    @Override
    public void close() {
        sdk.getSdkTracerProvider().shutdown().join(LAST_SPANS.toMillis(), TimeUnit.MILLISECONDS);
    }

    private final class Running implements Trace {
        private final Span span;

        Running(Span span) {
            this.span = span;
        }

        @Override
        public String traceId() {
            return span.getSpanContext().getTraceId();
        }

        @Override
        public void end(AnsweredRequest request) {
            Instant end = request.start().plus(request.total());
            if (span.isRecording()) {
                status(request);
                Call call = request.call();
                if (call != null && !call.model().isEmpty()) {
                    span.setAttribute("gatun.model", call.model());
                    span.setAttribute("gatun.texts", call.texts());
                    span.setAttribute("gatun.tokens", call.timings().tokens());
                    stages(request.start(), end, call.timings());
                }
            }
            span.end(end);
        }

        private void status(AnsweredRequest request) {
            boolean fault;
            if (request.door() == Door.HTTP) {
                int status = Integer.parseInt(request.status());
                span.setAttribute("http.response.status_code", status);
                fault = status >= SERVER_ERROR || status == BACKEND_FAILED;
            } else {
                span.setAttribute("rpc.response.status_code", request.status());
                fault = SERVER_FAULTS.contains(request.status());
            }
            if (fault) {
                span.setAttribute("error.type", request.status());
                span.setStatus(StatusCode.ERROR);
            }
        }

        /** Of several texts the longest times stand; so that they do not seem to last longer than the request. */
        private void stages(Instant start, Instant end, Timings timings) {
            if (timings.tokenizationStart() == 0) {
                return;
            }
            Instant from = start.plusNanos(timings.tokenizationStart() - timings.start());
            from = stage("tokenization", from, timings.tokenizationNanos(), end);
            if (timings.inferenceNanos() > 0) {
                from = stage("queue", from, timings.queueNanos(), end);
                stage("inference", from, timings.inferenceNanos(), end);
            }
        }

        private Instant stage(String name, Instant from, long nanos, Instant limit) {
            Instant start = from.isAfter(limit) ? limit : from;
            Instant end = start.plusNanos(nanos).isAfter(limit) ? limit : start.plusNanos(nanos);
            tracer.spanBuilder(name)
                    .setParent(Context.root().with(span))
                    .setStartTimestamp(start)
                    .startSpan()
                    .end(end);
            return end;
        }
    }
}
