package io.gatun.grpc;

import java.time.Duration;
import java.util.HashSet;
import java.util.Set;

/** The calls that are being answered, their bytes, and whether new ones are still taken. Thread-safe. */
final class WorkInFlight {
    private final long maxBytes;
    private final Set<Runnable> drainActions = new HashSet<>();
    private int calls;
    private long bytes;
    private boolean draining;

    /** {@code maxBytes}: of the messages that are in flight at a time. */
    WorkInFlight(long maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** Counts a call in, unless no new ones are taken. */
    synchronized boolean begin() {
        calls += draining ? 0 : 1;
        return !draining;
    }

    synchronized void end() {
        calls--;
        notifyAll();
    }

    /** Counts a message in, unless there are too many already; one alone always goes. */
    synchronized boolean hold(long size) {
        if (bytes > 0 && bytes + size > maxBytes) {
            return false;
        }
        bytes += size;
        return true;
    }

    synchronized void release(long size) {
        bytes -= size;
    }

    synchronized boolean isDraining() {
        return draining;
    }

    /** {@code action} runs when the drain begins, or now if it has begun; a stream ends by it. */
    void whenDraining(Runnable action) {
        synchronized (this) {
            drainActions.add(action);
            if (!draining) {
                return;
            }
        }
        action.run();
    }

    synchronized void forget(Runnable drainAction) {
        drainActions.remove(drainAction);
    }

    /** From now on new calls are refused, and streams end when what they have taken is answered. */
    void drain() {
        Set<Runnable> actions;
        synchronized (this) {
            draining = true;
            actions = Set.copyOf(drainActions);
        }
        actions.forEach(Runnable::run);
    }

    /** Waits until every call is answered, or the time is over. */
    synchronized void awaitNone(Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        for (long rest = timeout.toMillis(); calls > 0 && rest > 0; rest = (deadline - System.nanoTime()) / 1_000_000) {
            wait(rest);
        }
    }

    synchronized int calls() {
        return calls;
    }

    synchronized long bytes() {
        return bytes;
    }
}
