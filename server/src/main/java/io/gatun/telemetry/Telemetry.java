package io.gatun.telemetry;

import io.gatun.service.Call;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Watches requests from when they come to when they are answered. Thread-safe; owns its traces, and not the log. */
public final class Telemetry implements AutoCloseable {
    private final Tracing tracing;
    private final @Nullable LogOutput accessLog;

    /** Tells nobody. */
    public static Telemetry off() {
        return new Telemetry(new Tracing.Untraced(), Optional.empty());
    }

    /** {@code accessLog}: where to tell of each request, if that is asked for. */
    public Telemetry(Tracing tracing, Optional<LogOutput> accessLog) {
        this.tracing = tracing;
        this.accessLog = accessLog.orElse(null);
    }

    /** A request came, at the {@link System#nanoTime} {@code startNanos}; {@code route} as it is registered. */
    public Observation begin(Door door, String method, String route, RequestHeaders headers, long startNanos) {
        Instant start = Instant.now().minusNanos(System.nanoTime() - startNanos);
        return new Observation(
                door, method, route, start, startNanos, tracing.begin(door, method, route, headers, start));
    }

    @Override
    public void close() {
        tracing.close();
    }

    /** One request. Used by one thread at a time. */
    public final class Observation {
        private final Door door;
        private final String method;
        private final String route;
        private final Instant start;
        private final long startNanos;
        private final Tracing.Trace trace;

        private Observation(
                Door door, String method, String route, Instant start, long startNanos, Tracing.Trace trace) {
            this.door = door;
            this.method = method;
            this.route = route;
            this.start = start;
            this.startNanos = startNanos;
            this.trace = trace;
        }

        /** Of the trace to which it belongs, 32 hexadecimal digits; empty if there is none. */
        public String traceId() {
            return trace.traceId();
        }

        /**
         * It is answered.
         *
         * @param status of HTTP, a number, or of gRPC, a name
         * @param requestId as the client was told it; empty if it was not
         * @param call if a model was asked
         * @param requestBytes of the body; below 0: unknown
         * @param responseBytes of the body; below 0: unknown
         */
        public void answered(
                String status, String requestId, @Nullable Call call, long requestBytes, long responseBytes) {
            AnsweredRequest request = new AnsweredRequest(
                    door,
                    method,
                    route,
                    start,
                    Duration.ofNanos(System.nanoTime() - startNanos),
                    status,
                    requestId,
                    trace.traceId(),
                    call,
                    requestBytes,
                    responseBytes);
            trace.end(request);
            if (accessLog != null) {
                accessLog.write(LogLine.of(request));
            }
        }
    }
}
