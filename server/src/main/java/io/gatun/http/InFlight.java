package io.gatun.http;

import java.time.Duration;

/** The requests that are being answered, and whether new work is still taken. Thread-safe. */
final class InFlight {
    private int count;
    private boolean draining;

    synchronized void begins() {
        count++;
    }

    synchronized void ends() {
        count--;
        notifyAll();
    }

    synchronized boolean isDraining() {
        return draining;
    }

    /** From now on new work is refused. */
    synchronized void drain() {
        draining = true;
    }

    /** Waits until every request is answered, or the time is over. */
    synchronized void awaitNone(Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        for (long rest = timeout.toMillis(); count > 0 && rest > 0; rest = (deadline - System.nanoTime()) / 1_000_000) {
            wait(rest);
        }
    }
}
