package io.gatun.http;

import io.gatun.batch.DrainingException;
import java.time.Duration;

/** The requests that are being answered, and whether new work is still taken. Thread-safe. */
final class InFlight {
    private int count;
    private boolean draining;

    /** One request's place, taken when the request is known whole. Used by the request's own thread. */
    final class Flight implements AutoCloseable {
        private boolean begun;

        /**
         * Whoever ends the server waits for this request from now on.
         *
         * @throws DrainingException when that has begun
         */
        void begins() {
            synchronized (InFlight.this) {
                if (draining) {
                    throw new DrainingException();
                }
                count += begun ? 0 : 1;
                begun = true;
            }
        }

        @Override
        public void close() {
            synchronized (InFlight.this) {
                count -= begun ? 1 : 0;
                begun = false;
                InFlight.this.notifyAll();
            }
        }
    }

    Flight flight() {
        return new Flight();
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
