package io.gatun.bench;

import io.gatun.kernel.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * The threads beside the one that runs a session's batches. While they are awake they look for a batch to join all the
 * time, as other engines' thread pools do while one calls them; asleep they use no processor.
 */
public final class Companions implements AutoCloseable {
    private final Session session;
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean awake;
    private volatile boolean closed;

    /**
     * Starts them, asleep.
     *
     * @param count one less than the threads that compute
     */
    public Companions(Session session, int count) {
        this.session = session;
        for (int i = 0; i < count; i++) {
            threads.add(Thread.ofPlatform().daemon().name("companion-" + i).start(this::join));
        }
    }

    /** From now on they join what the session runs. */
    public void wake() {
        awake = true;
        threads.forEach(LockSupport::unpark);
    }

    public void sleep() {
        awake = false;
    }

    @Override
    public void close() {
        closed = true;
        threads.forEach(LockSupport::unpark);
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void join() {
        while (!closed) {
            if (!awake) {
                LockSupport.park(this);
            } else if (session.join() == 0) {
                Thread.onSpinWait();
            }
        }
    }
}
