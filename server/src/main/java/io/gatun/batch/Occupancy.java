package io.gatun.batch;

import java.util.HashMap;
import java.util.Map;

/** What the lanes were measured to do: how much of the time they are busy, and how often they joined. Thread-safe. */
final class Occupancy {
    private final int lanes;
    private final Map<Lane, Long> running = new HashMap<>();
    private long busyNanos;
    private long joins;
    private long since = System.nanoTime();

    Occupancy(int lanes) {
        this.lanes = lanes;
    }

    synchronized void started(Lane lane, long nanos) {
        running.put(lane, nanos);
    }

    /** A lane does nothing any more. */
    synchronized void finished(Lane lane, long nanos) {
        Long started = running.remove(lane);
        if (started != null) {
            busyNanos += nanos - Math.max(started, since);
        }
    }

    /** A lane has joined the batch of another, unless it came too late to compute any of it. */
    synchronized void joined(Lane lane, long nanos, boolean computed) {
        finished(lane, nanos);
        joins += computed ? 1 : 0;
    }

    /** How often a lane computed a part of another's batch. */
    synchronized long joins() {
        return joins;
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
