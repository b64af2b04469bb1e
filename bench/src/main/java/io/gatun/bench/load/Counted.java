package io.gatun.bench.load;

import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * What became of the requests of one window.
 *
 * @param outcomes requests by how they ended
 * @param answered nanoseconds from the intended time to the answer, of those that were answered
 * @param refused the same, of those that were refused
 * @param goodput answers by the part of the window in which they came
 * @param changed answers that do not say the same, bit for bit, as the first to their text
 */
record Counted(
        double seconds,
        Map<String, Long> outcomes,
        Histogram answered,
        Histogram refused,
        List<Long> goodput,
        long changed) {
    private static final double NANOS_A_MS = 1e6;
    private static final double ENOUGH = 0.99;
    private static final double SAME = 0.95;
    /** What chance may leave in flight at a window's end, more than at its start. */
    private static final int CHANCE = 5;

    long sent() {
        return outcomes.values().stream().mapToLong(Long::longValue).sum();
    }

    private long answersInWindow() {
        return goodput.stream().mapToLong(Long::longValue).sum();
    }

    /** Answers a second within the window. */
    double answersPerSecond() {
        return answersInWindow() / seconds;
    }

    /** Whether the server does what is asked of it: all but one in a hundred answered, and as fast as they come. */
    boolean keepsUp() {
        return answered.getTotalCount() >= ENOUGH * sent() && answersInWindow() >= SAME * sent() - CHANCE;
    }

    /** The latency in ms that a share of all requests kept; infinite where too few were answered at all. */
    double quantileMs(double share) {
        long rank = (long) Math.ceil(share * sent());
        return rank > answered.getTotalCount() ? Double.POSITIVE_INFINITY : ms(answered, rank);
    }

    /** The same of the refusals alone; 0 where there were none. */
    double refusalMs(double share) {
        return ms(refused, (long) Math.ceil(share * refused.getTotalCount()));
    }

    private static double ms(Histogram histogram, long rank) {
        return histogram.getTotalCount() == 0
                ? 0
                : histogram.getValueAtPercentile(100.0 * rank / histogram.getTotalCount()) / NANOS_A_MS;
    }
}
