package io.gatun.bench.load;

import java.util.Arrays;
import java.util.Random;
import java.util.random.RandomGenerator;

/** When which text is sent: a Poisson process, as many users make one who know nothing of each other. Immutable. */
final class Arrivals {
    private static final double NANOS = 1e9;

    private final long[] nanos;
    private final int[] texts;

    private Arrivals(long[] nanos, int[] texts) {
        this.nanos = nanos;
        this.texts = texts;
    }

    /**
     * Draws them.
     *
     * @param rate a second
     */
    static Arrivals poisson(double rate, double seconds, int textCount, long seed) {
        RandomGenerator random = new Random(seed);
        long[] nanos = new long[(int) Math.ceil(rate * seconds) + 64];
        int[] texts = new int[nanos.length];
        int count = 0;
        for (double at = random.nextExponential() / rate; at < seconds; at += random.nextExponential() / rate) {
            if (count == nanos.length) {
                nanos = Arrays.copyOf(nanos, 2 * count);
                texts = Arrays.copyOf(texts, 2 * count);
            }
            nanos[count] = (long) (at * NANOS);
            texts[count++] = random.nextInt(textCount);
        }
        return new Arrivals(Arrays.copyOf(nanos, count), Arrays.copyOf(texts, count));
    }

    int count() {
        return nanos.length;
    }

    /** When the i-th is to be sent, since the start; ascending. */
    long nanos(int i) {
        return nanos[i];
    }

    /** The index of what is sent i-th; all are as likely. */
    int text(int i) {
        return texts[i];
    }
}
