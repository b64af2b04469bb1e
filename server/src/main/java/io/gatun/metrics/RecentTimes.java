package io.gatun.metrics;

import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;
import org.jspecify.annotations.Nullable;

/**
 * The times of the last minute or two, to three digits, for exact percentiles. They are kept in two slots of a minute;
 * what came since the last look is added to the newer slot, and a slot is dropped when it is two minutes old. Who looks
 * more seldom sees all since the last look.
 */
final class RecentTimes {
    private static final long SLOT_NANOS = 60_000_000_000L;
    private static final int DIGITS = 3;
    private static final long NANOS_PER_UNIT = 1_000;

    private final Recorder recorder = new Recorder(DIGITS);
    private Histogram newer = new Histogram(DIGITS);
    private Histogram older = new Histogram(DIGITS);
    private @Nullable Histogram interval;
    private long slotStart;

    RecentTimes(long now) {
        slotStart = now;
    }

    void record(long nanos) {
        recorder.recordValue(Math.max(0, nanos / NANOS_PER_UNIT));
    }

    /** All recent times together, in microseconds. */
    synchronized Histogram look(long now) {
        if (now - slotStart >= SLOT_NANOS) {
            boolean idle = now - slotStart >= 2 * SLOT_NANOS;
            Histogram dropped = older;
            older = newer;
            newer = dropped;
            newer.reset();
            if (idle) {
                older.reset();
            }
            slotStart = now;
        }
        interval = recorder.getIntervalHistogram(interval);
        newer.add(interval);
        Histogram sum = older.copy();
        sum.add(newer);
        return sum;
    }
}
