package io.gatun.http;

import io.gatun.batch.Answer;
import java.util.Map;

/**
 * Where the time of one request went. Of several texts in one request, the longest wait and the longest computation
 * count. Used by the request's own thread.
 */
final class Timings {
    private static final long NANOS_PER_MILLI = 1_000_000;

    private final long start;
    private long tokenizationStart;
    private long tokenizationNanos;
    private long queueNanos;
    private long inferenceNanos;
    private long totalNanos;
    private int tokens;

    Timings(long start) {
        this.start = start;
    }

    void tokenizationStarts(long now) {
        tokenizationStart = now;
    }

    void tokenizationEnds(long now) {
        tokenizationNanos = now - tokenizationStart;
    }

    void add(Answer answer) {
        queueNanos = Math.max(queueNanos, answer.queuedNanos());
        inferenceNanos = Math.max(inferenceNanos, answer.computedNanos());
    }

    void addTokens(int count) {
        tokens += count;
    }

    void ends(long now) {
        totalNanos = now - start;
    }

    long tokenizationNanos() {
        return tokenizationNanos;
    }

    long queueNanos() {
        return queueNanos;
    }

    long inferenceNanos() {
        return inferenceNanos;
    }

    long totalNanos() {
        return totalNanos;
    }

    /** The headers that tell it, in whole milliseconds, as text-embeddings-inference counts them. */
    Map<String, String> headers() {
        return Map.of(
                "x-compute-tokens", Integer.toString(tokens),
                "x-total-time", millis(totalNanos),
                "x-tokenization-time", millis(tokenizationNanos),
                "x-queue-time", millis(queueNanos),
                "x-inference-time", millis(inferenceNanos));
    }

    private static String millis(long nanos) {
        return Long.toString(nanos / NANOS_PER_MILLI);
    }
}
