package io.gatun.bench.load;

import java.nio.ByteBuffer;

/**
 * What became of one request.
 *
 * @param text its index
 * @param intended when it was to be sent, in {@link System#nanoTime}'s time
 * @param completed when its last byte came, or it was given up
 * @param body empty where none came; who reads it takes a duplicate
 */
record Answer(int text, long intended, long completed, Outcome outcome, ByteBuffer body) {
    /** Nanoseconds, counted from the intended time: what a request waits to be sent is the server's fault too. */
    long latency() {
        return completed - intended;
    }
}
