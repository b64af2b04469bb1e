package io.gatun.bench.peers;

import java.util.Arrays;
import java.util.concurrent.Callable;

/**
 * How long an engine's turn is: one call that warms the caches and is not counted, then calls until {@code milliseconds}
 * have passed, at least {@code least} and at most {@code most}.
 */
record Turn(int milliseconds, int least, int most) {
    /** Takes a turn in this process: the milliseconds of each call that counts. */
    double[] time(Callable<?> call) {
        double[] times = new double[most];
        int count = 0;
        try {
            call.call();
            double spent = 0;
            while (count < least || (count < most && spent < milliseconds)) {
                long start = System.nanoTime();
                call.call();
                times[count] = (System.nanoTime() - start) / 1e6;
                spent += times[count++];
            }
        } catch (PeersException e) {
            throw e;
        } catch (Exception e) {
            throw new PeersException("An engine failed: " + e.getMessage() + ".", e);
        }
        return Arrays.copyOf(times, count);
    }
}
