package io.gatun.batch;

import java.util.HashMap;
import java.util.Map;

/** What the lanes were measured to do: tokens a second, and how much of the time they are busy. Thread-safe. */
final class Throughput {
    /** The weight of the newest batch in the mean; older ones fade. */
    private static final double NEWEST = 0.1;

    private static final double NANOS_PER_SECOND = 1e9;

    private final int lanes;
    private final Map<Lane, Long> running = new HashMap<>();
    private double laneTokensPerSecond;
    private long busyNanos;
    private long joins;
    private long since = System.nanoTime();

    Throughput(int lanes) {
        this.lanes = lanes;
    }

    synchronized void started(Lane lane, long nanos) {
        running.put(lane, nanos);
    }

    /**
     * A lane has run a batch.
     *
     * @param threads lanes that computed it together
     */
    synchronized void finished(Lane lane, long nanos, int tokens, int threads) {
        long took = ended(lane, nanos);
        if (took < 0) {
            return;
        }
        double measured = tokens * NANOS_PER_SECOND / Math.max(1, took * threads);
        laneTokensPerSecond =
                laneTokensPerSecond == 0 ? measured : laneTokensPerSecond + NEWEST * (measured - laneTokensPerSecond);
    }

    /** A lane has joined the batch of another, unless it came too late to compute any of it. */
    synchronized void joined(Lane lane, long nanos, boolean computed) {
        ended(lane, nanos);
        joins += computed ? 1 : 0;
    }

    /** How often a lane computed a part of another's batch. */
    synchronized long joins() {
        return joins;
    }

    /** Counts a lane's time; -1 for a lane that had not started. */
    private long ended(Lane lane, long nanos) {
        Long started = running.remove(lane);
        if (started == null) {
            return -1;
        }
        busyNanos += nanos - Math.max(started, since);
        return nanos - started;
    }

    /** What all lanes together do; 0 before the first batch. */
    synchronized double tokensPerSecond() {
        return laneTokensPerSecond * lanes;
    }

    /** From 0 to 1: the share of the time since the last call in which lanes computed. */
    synchronized double busyRatio() {
        long now = System.nanoTime();
        long busy = busyNanos;
        for (long started : running.values()) {
            busy += now - Math.max(started, since);
        }
        double ratio = busy / (double) Math.max(1, (now - since) * lanes);
        busyNanos = 0;
        since = now;
        return Math.clamp(ratio, 0.0, 1.0);
    }
}
