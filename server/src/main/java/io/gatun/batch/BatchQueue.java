package io.gatun.batch;

import io.gatun.kernel.Session;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ToLongFunction;

/**
 * What waits for a model's lanes: first in, first out within a priority, bounded in jobs and in tokens. A lane that is
 * free takes at once what is there; batches grow because lanes are busy, and no timer waits for more. A lane that takes
 * the last of it offers its batch to the lanes that have nothing to do.
 *
 * <p>No batch is longer than the settings' time, as far as the cost model knows, unless a single text is: so long, and
 * no longer, may what is interactive have to wait for bulk that came before.
 */
final class BatchQueue {
    /** Of so many batches one is bulk, while both priorities wait. */
    private static final int BULK_EVERY = 8;

    private final LaneSettings settings;
    private final CostModel cost;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition quiet = lock.newCondition();
    private final Map<Priority, Line> lines = new EnumMap<>(Priority.class);
    /** Batches that lanes may join, the oldest first; each has places left. */
    private final ArrayDeque<Work.Offer> offers = new ArrayDeque<>();

    /** Lanes that wait for work, to be woken all at once: a condition would wake each when the one before it is done. */
    private final Set<Thread> idleLanes = new HashSet<>();
    /** Batches that were taken and are not finished. */
    private int running;
    /** Interactive batches since the last of bulk. */
    private int sinceBulk;

    private boolean draining;
    private boolean closed;

    BatchQueue(LaneSettings settings, CostModel cost) {
        this.settings = settings;
        this.cost = cost;
        for (Priority priority : Priority.values()) {
            lines.put(priority, new Line());
        }
    }

    /**
     * Takes all of a request's jobs or none. A request that is larger than the bounds is taken while nothing else waits,
     * or it could never be answered.
     *
     * @param request at least one job; all of one deadline
     * @throws QueueFullException when too much waits, or more than can be done before the deadline
     */
    void add(List<Job> request, Priority priority) {
        int added = 0;
        for (Job job : request) {
            added += job.tokens();
        }
        lock.lock();
        try {
            if (draining) {
                throw new DrainingException();
            }
            long now = System.nanoTime();
            Line line = line(priority);
            if (!fits(priority, request.size(), added)) {
                line.dropAll(now);
            }
            long wait = cost.nanos(tokens(priority)) / settings.lanes();
            if (!line.isEmpty()
                    && (!fits(priority, request.size(), added)
                            || request.getFirst().left(now) < wait)) {
                throw new QueueFullException(line.size(), line.tokens(), secondsOfWork());
            }
            enqueue(request, line, now);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes more jobs of a request that was taken, whatever waits: else what was computed of it would be lost, and under
     * a steady load it would never be done. Each such request has a bounded part of the queue, so that all of them
     * together hold no more than {@link #add} lets in once.
     */
    void addMore(List<Job> jobs, Priority priority) {
        lock.lock();
        try {
            if (closed) {
                throw new DrainingException();
            }
            enqueue(jobs, line(priority), System.nanoTime());
        } finally {
            lock.unlock();
        }
    }

    private void enqueue(List<Job> jobs, Line line, long now) {
        for (Job job : jobs) {
            job.enqueued(now);
            line.add(job);
        }
        wakeLanes();
    }

    /**
     * Refuses what {@link #add} would refuse as things are, before anyone has tokenized it.
     *
     * @param tokens about so many, in all texts
     * @throws QueueFullException when too much waits
     */
    void checkRoom(int texts, int tokens, Priority priority) {
        lock.lock();
        try {
            Line line = line(priority);
            if (line.isEmpty() || fits(priority, texts, tokens)) {
                return;
            }
            line.dropAll(System.nanoTime());
            if (!line.isEmpty() && !fits(priority, texts, tokens)) {
                throw new QueueFullException(line.size(), line.tokens(), secondsOfWork());
            }
        } finally {
            lock.unlock();
        }
    }

    private void wakeLanes() {
        idleLanes.forEach(LockSupport::unpark);
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
                if (closed) {
                    return new Work.End();
                }
                List<Job> batch = cut();
                if (!batch.isEmpty()) {
                    running++;
                    return new Work.Batch(batch, offer(session));
                }
                if (!offers.isEmpty()) {
                    return accept();
                }
                awaitChange();
            }
        } finally {
            lock.unlock();
        }
    }

    private void awaitChange() throws InterruptedException {
        idleLanes.add(Thread.currentThread());
        lock.unlock();
        try {
            LockSupport.park(this);
        } finally {
            lock.lock();
            idleLanes.remove(Thread.currentThread());
        }
        if (Thread.interrupted()) {
            throw new InterruptedException();
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
        int lanes = jobs() == 0
                ? Math.clamp(idleLanes.size() - promised, 0, settings.limits().maxThreads() - 1)
                : 0;
        Work.Offer offer = new Work.Offer(session, lanes);
        if (lanes > 0) {
            offers.add(offer);
            wakeLanes();
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

    /** The front of the line whose turn it is; no more than a fair share while other lanes have nothing to do. */
    private List<Job> cut() {
        long now = System.nanoTime();
        lines.values().forEach(line -> line.dropFront(now));
        signalIfQuiet();
        Priority turn = turn();
        Line line = line(turn);
        int share = Math.ceilDiv(line.tokens(), 1 + idleLanes.size());
        int fitting = Math.min(
                settings.limits().maxTokens(),
                cost.tokensWithin(settings.maxBatch().toNanos()));
        List<Job> batch = line.cut(settings.limits(), Math.min(fitting, share), cost, now);
        if (!batch.isEmpty()) {
            sinceBulk = turn == Priority.BULK ? 0 : sinceBulk + 1;
        }
        return batch;
    }

    private Priority turn() {
        boolean bulkWaits = !line(Priority.BULK).isEmpty();
        boolean bulkIsDue = line(Priority.INTERACTIVE).isEmpty() || sinceBulk >= BULK_EVERY - 1;
        return bulkWaits && bulkIsDue ? Priority.BULK : Priority.INTERACTIVE;
    }

    private Line line(Priority priority) {
        return Objects.requireNonNull(lines.get(priority));
    }

    private boolean fits(Priority priority, int addedJobs, int addedTokens) {
        Line line = line(priority);
        return addedJobs <= settings.maxQueuedJobs(priority) - line.size()
                && addedTokens <= settings.maxQueuedTokens(priority) - line.tokens();
    }

    /** What goes before a request of that priority. */
    private int tokens(Priority priority) {
        int interactive = line(Priority.INTERACTIVE).tokens();
        return priority == Priority.INTERACTIVE
                ? interactive
                : interactive + line(Priority.BULK).tokens();
    }

    private void signalIfQuiet() {
        if (isQuiet()) {
            quiet.signalAll();
        }
    }

    private boolean isQuiet() {
        return running == 0 && lines.values().stream().allMatch(Line::isEmpty);
    }

    /** Refuses what comes from now on, and waits until what came is done. */
    boolean drain(Duration timeout) throws InterruptedException {
        long left = timeout.toNanos();
        lock.lock();
        try {
            draining = true;
            while (!isQuiet()) {
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
            List<Job> left = new ArrayList<>();
            lines.values().forEach(line -> left.addAll(line.clear()));
            wakeLanes();
            signalIfQuiet();
            return left;
        } finally {
            lock.unlock();
        }
    }

    int jobs() {
        return (int) sum(Line::size);
    }

    int jobs(Priority priority) {
        lock.lock();
        try {
            return line(priority).size();
        } finally {
            lock.unlock();
        }
    }

    int tokens() {
        return (int) sum(Line::tokens);
    }

    /** Jobs that were dropped because nobody waited for them any more. */
    long abandoned() {
        return sum(Line::abandoned);
    }

    /** Jobs that were dropped because their time was over. */
    long expired() {
        return sum(Line::expired);
    }

    private long sum(ToLongFunction<Line> count) {
        lock.lock();
        try {
            return lines.values().stream().mapToLong(count).sum();
        } finally {
            lock.unlock();
        }
    }

    /** How long the lanes will take, at the speed that was measured, for what is queued; at least 1. */
    private long secondsOfWork() {
        double nanos = (double) cost.nanos(tokens()) / settings.lanes();
        return Math.max(1, (long) Math.ceil(nanos / 1e9));
    }
}
