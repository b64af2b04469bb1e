package io.gatun.batch;

import io.gatun.kernel.Session;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What waits for a model's lanes: first in, first out, bounded in jobs and in tokens. A lane that is free takes at once
 * what is there; batches grow because lanes are busy, and no timer waits for more. A lane that takes the last of it
 * offers its batch to the lanes that have nothing to do.
 */
final class BatchQueue {
    private final LaneSettings settings;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Condition quiet = lock.newCondition();
    private final ArrayDeque<Job> jobs = new ArrayDeque<>();
    /** Batches that lanes may join, the oldest first; each has places left. */
    private final ArrayDeque<Work.Offer> offers = new ArrayDeque<>();

    private int tokens;
    /** Lanes that wait for work. */
    private int idleLanes;
    /** Batches that were taken and are not finished. */
    private int running;

    private long abandoned;
    private boolean draining;
    private boolean closed;

    BatchQueue(LaneSettings settings) {
        this.settings = settings;
    }

    /**
     * Takes all of a request's jobs or none. A request that is larger than the bounds is taken while nothing else waits,
     * or it could never be answered.
     *
     * @param tokensPerSecond what the lanes were measured to do
     */
    void add(List<Job> request, double tokensPerSecond) {
        int added = 0;
        for (Job job : request) {
            added += job.tokens();
        }
        lock.lock();
        try {
            if (draining) {
                throw new DrainingException();
            }
            if (!fits(request.size(), added)) {
                dropAllAbandoned();
            }
            if (!fits(request.size(), added) && !jobs.isEmpty()) {
                throw new QueueFullException(jobs.size(), tokens, seconds(tokens, tokensPerSecond));
            }
            long now = System.nanoTime();
            for (Job job : request) {
                job.enqueued(now);
                jobs.add(job);
            }
            tokens += added;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits for work and takes it: a batch of what is queued or, while nothing is, a part in another lane's batch.
     *
     * @param session which would run a batch
     */
    Work take(Session session) throws InterruptedException {
        lock.lock();
        try {
            while (true) {
                dropAbandoned();
                if (closed) {
                    return new Work.End();
                }
                if (!jobs.isEmpty()) {
                    List<Job> batch = cut();
                    if (!batch.isEmpty()) {
                        running++;
                        return new Work.Batch(batch, offer(session));
                    }
                    // The whole front was abandoned in between: look again.
                    continue;
                }
                if (!offers.isEmpty()) {
                    return accept();
                }
                idleLanes++;
                try {
                    changed.await();
                } finally {
                    idleLanes--;
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** A lane is done with a batch that it took. */
    void finished(Work.Batch batch) {
        lock.lock();
        try {
            offers.remove(batch.offer());
            running--;
            signalIfQuiet();
        } finally {
            lock.unlock();
        }
    }

    /** Asks the lanes that have nothing to do, unless there is something left for them or they were asked already. */
    private Work.Offer offer(Session session) {
        int promised = offers.stream().mapToInt(Work.Offer::places).sum();
        int lanes = jobs.isEmpty()
                ? Math.clamp(idleLanes - promised, 0, settings.limits().maxThreads() - 1)
                : 0;
        Work.Offer offer = new Work.Offer(session, lanes);
        if (lanes > 0) {
            offers.add(offer);
            changed.signalAll();
        }
        return offer;
    }

    private Work.Offer accept() {
        Work.Offer offer = offers.element();
        offer.taken();
        if (offer.places() == 0) {
            offers.remove();
        }
        return offer;
    }

    /** The front of the queue up to the largest batch; no more than a fair share while other lanes have nothing to do. */
    private List<Job> cut() {
        int share = Math.ceilDiv(tokens, 1 + idleLanes);
        int budget = Math.min(
                settings.limits().maxTokens(), Math.max(share, jobs.element().tokens()));
        List<Job> batch = new ArrayList<>();
        int taken = 0;
        while (!jobs.isEmpty() && batch.size() < settings.limits().maxSequences()) {
            Job job = jobs.element();
            if (!job.abandoned()) {
                if (taken + job.tokens() > budget) {
                    break;
                }
                batch.add(job);
                taken += job.tokens();
            } else {
                abandoned++;
            }
            jobs.remove();
            tokens -= job.tokens();
        }
        return batch;
    }

    private void dropAbandoned() {
        while (!jobs.isEmpty() && jobs.element().abandoned()) {
            tokens -= jobs.remove().tokens();
            abandoned++;
        }
        signalIfQuiet();
    }

    private boolean fits(int addedJobs, int addedTokens) {
        return addedJobs <= settings.maxQueuedJobs() - jobs.size()
                && addedTokens <= settings.maxQueuedTokens() - tokens;
    }

    /** Those behind a job that somebody still waits for, too. */
    private void dropAllAbandoned() {
        jobs.removeIf(job -> {
            boolean dropped = job.abandoned();
            if (dropped) {
                tokens -= job.tokens();
                abandoned++;
            }
            return dropped;
        });
    }

    private void signalIfQuiet() {
        if (jobs.isEmpty() && running == 0) {
            quiet.signalAll();
        }
    }

    /** Refuses what comes from now on, and waits until what came is done. */
    boolean drain(Duration timeout) throws InterruptedException {
        long left = timeout.toNanos();
        lock.lock();
        try {
            draining = true;
            while (!jobs.isEmpty() || running > 0) {
                if (left <= 0) {
                    return false;
                }
                left = quiet.awaitNanos(left);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Ends the lanes, and gives back what they will not take. */
    List<Job> close() {
        lock.lock();
        try {
            draining = true;
            closed = true;
            List<Job> left = List.copyOf(jobs);
            jobs.clear();
            tokens = 0;
            changed.signalAll();
            signalIfQuiet();
            return left;
        } finally {
            lock.unlock();
        }
    }

    int jobs() {
        lock.lock();
        try {
            return jobs.size();
        } finally {
            lock.unlock();
        }
    }

    int tokens() {
        lock.lock();
        try {
            return tokens;
        } finally {
            lock.unlock();
        }
    }

    long abandoned() {
        lock.lock();
        try {
            return abandoned;
        } finally {
            lock.unlock();
        }
    }

    /** How long the lanes will take, at the speed that was measured, for what is queued; at least 1. */
    long seconds(double tokensPerSecond) {
        return seconds(tokens(), tokensPerSecond);
    }

    private static long seconds(int tokens, double tokensPerSecond) {
        return tokensPerSecond > 0 ? Math.max(1, (long) Math.ceil(tokens / tokensPerSecond)) : 1;
    }
}
