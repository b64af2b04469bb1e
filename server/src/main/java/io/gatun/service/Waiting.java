package io.gatun.service;

import io.gatun.batch.Job;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/**
 * The requests that wait for their jobs, looked at every few milliseconds by one thread: who waits longer than that is
 * watched for leaving, and whose time is over is told. A timer a request would be set and taken back for each of those
 * that are answered in a millisecond or two, and wake a thread each time. Thread-safe.
 */
final class Waiting implements AutoCloseable {
    private static final long TICK_NANOS = Duration.ofMillis(10).toNanos();

    /** One request that waits. */
    private static final class Request {
        final Caller caller;
        final List<Job> jobs;
        final long start = System.nanoTime();
        boolean watched;

        Request(Caller caller, List<Job> jobs) {
            this.caller = caller;
            this.jobs = jobs;
        }
    }

    private final Set<Request> requests = ConcurrentHashMap.newKeySet();
    private final Thread thread;
    private volatile boolean idle;
    private volatile boolean closed;

    Waiting() {
        thread = Thread.ofPlatform().daemon().name("gatun-waiting").start(this::run);
    }

    /** A request's place here, until it is closed. */
    interface Place extends AutoCloseable {
        @Override
        void close();
    }

    Place enter(Caller caller, List<Job> jobs) {
        Request request = new Request(caller, jobs);
        requests.add(request);
        if (idle) {
            LockSupport.unpark(thread);
        }
        return () -> {
            synchronized (request) {
                requests.remove(request);
                if (request.watched) {
                    caller.isAnswered();
                }
            }
        };
    }

    private void run() {
        while (!closed) {
            if (requests.isEmpty()) {
                idle = true;
                if (requests.isEmpty() && !closed) {
                    LockSupport.park();
                }
                idle = false;
            }
            LockSupport.parkNanos(TICK_NANOS);
            long now = System.nanoTime();
            requests.forEach(request -> look(request, now));
        }
    }

    private void look(Request request, long now) {
        for (Job job : request.jobs) {
            job.expire(now);
        }
        synchronized (request) {
            if (!request.watched && now - request.start > TICK_NANOS && requests.contains(request)) {
                request.watched = true;
                request.caller.whenGone(() -> request.jobs.forEach(Job::abandon));
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
    }
}
