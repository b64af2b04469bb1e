package io.gatun.telemetry;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where traces go. Thread-safe. */
public interface Tracing extends AutoCloseable {
    /** Belongs to its request's thread. */
    interface Trace {
        /** 32 hexadecimal digits, or an empty text. */
        String traceId();

        void end(AnsweredRequest request);
    }

    Trace begin(Door door, String method, String route, RequestHeaders headers, Instant start);

    @Override
    void close();

    /**
     * As OpenTelemetry's environment variables say. Without one that asks for traces, none of its classes is loaded.
     *
     * @throws TelemetryException when they say what cannot be done
     */
    static Tracing of(Map<String, String> environment) {
        return isAskedFor(environment) ? new OpenTelemetryTracing(environment) : new Untraced();
    }

    private static boolean isAskedFor(Map<String, String> environment) {
        String exporter = environment.getOrDefault("OTEL_TRACES_EXPORTER", "").strip();
        if (environment.getOrDefault("OTEL_SDK_DISABLED", "").strip().equalsIgnoreCase("true")
                || exporter.equals("none")) {
            return false;
        }
        return !exporter.isEmpty()
                || List.of("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").stream()
                        .anyMatch(name -> !environment.getOrDefault(name, "").isBlank());
    }

    /** The trace that a header of W3C Trace Context names as the request's, or an empty text. */
    static String traceId(String header) {
        Matcher matcher = Untraced.TRACE_PARENT.matcher(header);
        return matcher.matches() ? matcher.group(1) : "";
    }

    /** Only reads to which trace a request belongs. */
    final class Untraced implements Tracing {
        private static final Pattern TRACE_PARENT =
                Pattern.compile("(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?");

        private record Known(String traceId) implements Trace {
            @Override
            public void end(AnsweredRequest request) {}
        }

        private static final Trace NONE = new Known("");

        @Override
        public Trace begin(Door door, String method, String route, RequestHeaders headers, Instant start) {
            return headers.first("traceparent")
                    .map(parent -> (Trace) new Known(Tracing.traceId(parent)))
                    .orElse(NONE);
        }

        @Override
        public void close() {}
    }
}
