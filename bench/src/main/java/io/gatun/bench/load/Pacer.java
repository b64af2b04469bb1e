package io.gatun.bench.load;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/** Sends texts when they are due, whatever became of those before. */
final class Pacer {
    private static final Path TIMER_SLACK = Path.of("/proc/thread-self/timerslack_ns");
    private static final int DRAIN_STEP_MS = 2;

    private Pacer() {}

    /**
     * Sends all, on the calling thread, and waits until nothing is outstanding.
     *
     * @param start when the arrivals begin, in {@link System#nanoTime}'s time
     * @return the most nanoseconds that a request was sent late
     * @throws InterruptedException when the calling thread is interrupted
     */
    static long send(Arrivals arrivals, long start, Client client, Consumer<Answer> heard) throws InterruptedException {
        wakeOnTime();
        long latest = 0;
        for (int i = 0; i < arrivals.count(); i++) {
            long due = start + arrivals.nanos(i);
            long now = System.nanoTime();
            while (now < due) {
                LockSupport.parkNanos(due - now);
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
                now = System.nanoTime();
            }
            latest = Math.max(latest, now - due);
            client.send(arrivals.text(i), due, heard);
        }
        while (client.outstanding() > 0) {
            Thread.sleep(DRAIN_STEP_MS);
        }
        return latest;
    }

    /** Linux may wake a thread 50 us late, to wake several at once; where that cannot be changed, it stays so. */
    private static void wakeOnTime() {
        try {
            Files.writeString(TIMER_SLACK, "1000");
        } catch (IOException e) {
            // Then latencies hold those microseconds, for every server alike.
        }
    }
}
