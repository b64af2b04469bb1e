package io.gatun.bench.peers;

import io.gatun.kernel.Kernel;
import java.util.concurrent.CountDownLatch;

/** The most 8-bit multiplies that the processor does with the instruction set in use: nothing else, all in registers. */
final class Int8Peak {
    private static final long ROUNDS = 4_000_000;
    private static final double NANOS_PER_SECOND = 1e9;

    private Int8Peak() {}

    /** Measures it now, for about a fifth of a second: multiplies (with their additions) a second, of all threads. */
    static double multipliesPerSecond(int threads) {
        double[] measured = new double[threads];
        CountDownLatch together = new CountDownLatch(threads);
        Thread[] started = new Thread[threads];
        for (int i = 0; i < threads; i++) {
            int index = i;
            started[i] = Thread.ofPlatform().start(() -> {
                together.countDown();
                while (together.getCount() > 0) {
                    Thread.onSpinWait();
                }
                long begin = System.nanoTime();
                long multiplies = Kernel.int8Peak(ROUNDS);
                measured[index] = multiplies * NANOS_PER_SECOND / (System.nanoTime() - begin);
            });
        }
        double sum = 0;
        for (int i = 0; i < threads; i++) {
            try {
                started[i].join();
            } catch (InterruptedException e) {
                throw new PeersException("interrupted", e);
            }
            sum += measured[i];
        }
        return sum;
    }
}
