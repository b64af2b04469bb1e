package io.gatun.http;

import io.gatun.service.Timings;

/** The headers that tell where a request's time went, in whole milliseconds, as text-embeddings-inference counts them. */
final class TimeHeaders {
    private static final long NANOS_PER_MILLI = 1_000_000;

    private TimeHeaders() {}

    static Reply add(Reply reply, Timings timings) {
        return reply.with("x-compute-tokens", Integer.toString(timings.tokens()))
                .with("x-total-time", millis(timings.totalNanos()))
                .with("x-tokenization-time", millis(timings.tokenizationNanos()))
                .with("x-queue-time", millis(timings.queueNanos()))
                .with("x-inference-time", millis(timings.inferenceNanos()));
    }

    private static String millis(long nanos) {
        return Long.toString(nanos / NANOS_PER_MILLI);
    }
}
