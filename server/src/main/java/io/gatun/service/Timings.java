package io.gatun.service;

import io.gatun.batch.Answer;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Where the time of one request went. Of several texts in one request, the longest wait and the longest computation
 * count. Used by the request's own thread.
 */
public final class Timings {
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

    /** The {@link System#nanoTime} at which the request was there. */
    public long start() {
        return start;
    }

    /** Tokens of all texts. */
    public int tokens() {
        return tokens;
    }

    /** When the first text was being tokenized; 0: never. */
    public long tokenizationStart() {
        return tokenizationStart;
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

    /** The answer is written. */
    public void ends(long now) {
        totalNanos = now - start;
    }

    public long tokenizationNanos() {
        return tokenizationNanos;
    }

    public long queueNanos() {
        return queueNanos;
    }

    public long inferenceNanos() {
        return inferenceNanos;
    }

    public long totalNanos() {
        return totalNanos;
    }

    /** What tells it in an answer's headers, in whole milliseconds, as text-embeddings-inference counts them. */
    public Map<String, String> headers() {
        return Map.of(
                "x-compute-tokens", Integer.toString(tokens),
                "x-total-time", millis(totalNanos),
                "x-tokenization-time", millis(tokenizationNanos),
                "x-queue-time", millis(queueNanos),
                "x-inference-time", millis(inferenceNanos));
    }

    private static String millis(long nanos) {
        return Long.toString(TimeUnit.NANOSECONDS.toMillis(nanos));
    }
}
