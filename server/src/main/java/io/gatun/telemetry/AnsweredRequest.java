package io.gatun.telemetry;

import io.gatun.service.Call;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A request and how it was answered; nothing of what it says.
 *
 * @param method of HTTP; empty over gRPC, where {@code route} says it all
 * @param route as it is registered, and so without what a client made up; empty if there is none
 * @param status of HTTP, a number, or of gRPC, a name
 * @param requestId as the client was told it; empty if it was not
 * @param traceId empty if the request belongs to none
 * @param call empty unless a model was asked
 * @param requestBytes of the body; below 0: unknown
 * @param responseBytes of the body; below 0: unknown
 */
record AnsweredRequest(
        Door door,
        String method,
        String route,
        Instant start,
        Duration total,
        String status,
        String requestId,
        String traceId,
        @Nullable Call call,
        long requestBytes,
        long responseBytes) {}
