package io.gatun.batch;

/**
 * How long a batch takes, learned from those that ran: nanoseconds a token, by the power of two that a batch's tokens
 * are above, since small batches are slower a token. Thread-safe.
 */
final class CostModel {
    /** The weight of the newest batch in the mean; older ones fade. */
    private static final double NEWEST = 0.1;
    /** One batch may raise or lower the mean as if it had taken so many times, or a part, of it: it may be an accident. */
    private static final double ACCIDENT = 4;

    private static final int SIZES = 31;

    /** {@code [size]}: nanoseconds of one lane a token; 0: no such batch ran yet. */
    private final double[] nanosPerToken = new double[SIZES];
    /** The same of all batches, whatever their size. */
    private double mean;

    /**
     * A batch ran.
     *
     * @param nanos of all lanes that computed it together
     */
    synchronized void ran(int tokens, long nanos) {
        double measured = nanos / (double) tokens;
        int size = size(tokens);
        nanosPerToken[size] = average(nanosPerToken[size], measured);
        mean = average(mean, measured);
    }

    private static double average(double old, double measured) {
        return old == 0 ? measured : old + NEWEST * (Math.clamp(measured, old / ACCIDENT, old * ACCIDENT) - old);
    }

    /** What a batch takes one lane; 0 before the first has run. */
    synchronized long nanos(int tokens) {
        return (long) (tokens * rate(size(tokens)));
    }

    /** The largest batch that takes one lane no longer; at least 1 token. Unlimited before the first has run. */
    synchronized int tokensWithin(long nanos) {
        if (mean == 0) {
            return Integer.MAX_VALUE;
        }
        for (int size = SIZES - 1; size > 0; size--) {
            long fitting = (long) (nanos / rate(size));
            if (fitting >= 1L << size) {
                return (int) Math.min(fitting, (2L << size) - 1);
            }
        }
        return 1;
    }

    /** What a lane does; 0 before the first batch. */
    synchronized double tokensPerSecond() {
        return mean == 0 ? 0 : 1e9 / mean;
    }

    /** Of the nearest size that ran. */
    private double rate(int size) {
        for (int distance = 0; distance < SIZES; distance++) {
            for (int near : new int[] {size - distance, size + distance}) {
                if (near >= 0 && near < SIZES && nanosPerToken[near] > 0) {
                    return nanosPerToken[near];
                }
            }
        }
        return 0;
    }

    private static int size(int tokens) {
        return 31 - Integer.numberOfLeadingZeros(Math.max(1, tokens));
    }
}
