package io.gatun.batch;

import io.gatun.kernel.Model;
import io.gatun.kernel.Session;
import io.gatun.model.TextModel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * One model's queue and the lanes that empty it: each a batch of its own while much waits, the best use of all cores; all
 * of them one batch while little does, the shortest way to its answer. Thread-safe. Owns the lanes' sessions and not the model, which must
 * outlive it.
 */
public final class Lanes implements AutoCloseable {
    private final LaneSettings settings;
    private final BatchQueue queue;
    private final CostModel cost = new CostModel();
    private final Occupancy occupancy;
    private final List<Session> sessions;
    private final List<Thread> threads = new ArrayList<>();
    private final Model kernel;
    private final int heads;

    private Lanes(TextModel model, LaneSettings settings, List<Session> sessions) {
        this.settings = settings;
        this.sessions = List.copyOf(sessions);
        this.queue = new BatchQueue(settings, cost);
        this.occupancy = new Occupancy(settings.lanes());
        this.kernel = model.kernel();
        this.heads = model.description().heads().size();
    }

    /**
     * Opens a session a lane and starts the lanes.
     *
     * @throws io.gatun.kernel.KernelException when the system has too little memory; then nothing is left behind
     */
    @SuppressWarnings("MustBeClosedChecker") // each lane closes its session
    public static Lanes start(TextModel model, LaneSettings settings, BatchListener listener) {
        List<Session> sessions = new ArrayList<>();
        try {
            for (int i = 0; i < settings.lanes(); i++) {
                sessions.add(Session.open(model.kernel(), settings.limits()));
            }
        } catch (Throwable e) {
            sessions.forEach(Session::close);
            throw e;
        }
        Lanes lanes = new Lanes(model, settings, sessions);
        for (Session session : sessions) {
            Lane lane = new Lane(model, session, lanes.queue, listener, lanes.cost, lanes.occupancy);
            lanes.threads.add(Thread.ofPlatform()
                    .name("gatun-lane-" + model.name() + "-" + lanes.threads.size())
                    .start(lane));
        }
        return lanes;
    }

    /** Native bytes that {@link #start} will allocate. */
    public static long bytes(TextModel model, LaneSettings settings) {
        return settings.lanes() * Session.bytes(model.kernel(), settings.limits());
    }

    /**
     * Queues a request's jobs: all of them or, when this throws, none.
     *
     * @param jobs at least one; all of one deadline
     * @throws QueueFullException when too much is waiting
     * @throws DrainingException when the lanes take no more work
     * @throws IllegalArgumentException for a job that no batch has room for, or that asks for nothing that the model has
     */
    public void submit(List<Job> jobs, Priority priority) {
        check(jobs);
        queue.add(jobs, priority);
    }

    /**
     * Queues more jobs of a request while the first of it wait or run: they are taken whatever else waits, also while the
     * lanes drain.
     *
     * @param jobs at least one; with those before that are not answered no more than half of what may wait
     * @throws DrainingException when the lanes are closed
     */
    public void submitMore(List<Job> jobs, Priority priority) {
        check(jobs);
        queue.addMore(jobs, priority);
    }

    private void check(List<Job> jobs) {
        for (Job job : jobs) {
            if (job.tokens() < 1 || job.tokens() > settings.limits().maxTokens()) {
                throw new IllegalArgumentException("a job of " + job.tokens() + " tokens; a batch has room for "
                        + settings.limits().maxTokens());
            }
            if (job.outputs().isNothing() || (job.outputs().heads() & ~0 << heads) != 0) {
                throw new IllegalArgumentException("a job for " + job.outputs() + " of " + heads + " heads");
            }
            job.masks(kernel.masks(job.ids(), job.outputs().heads()));
            if (job.masks() > settings.limits().maxMasks()) {
                throw new IllegalArgumentException("a job of " + job.masks() + " masks; a batch has room for "
                        + settings.limits().maxMasks());
            }
        }
    }

    /**
     * Refuses a request that there is no room for, before anyone has tokenized it; {@link #submit} has the last word.
     *
     * @param tokens about so many, in all texts
     * @throws QueueFullException when too much is waiting
     */
    public void checkRoom(int texts, int tokens, Priority priority) {
        queue.checkRoom(texts, tokens, priority);
    }

    /** Native bytes that the lanes hold now. */
    public long bytes() {
        return sessions.stream().mapToLong(Session::bytes).sum();
    }

    public LaneSettings settings() {
        return settings;
    }

    public int queuedJobs() {
        return queue.jobs();
    }

    public int queuedTokens() {
        return queue.tokens();
    }

    /** From 0 to 1: the share of the time since the last call in which lanes computed. */
    public double busyRatio() {
        return occupancy.busyRatio();
    }

    /** How often a lane with nothing else to do computed a part of another's batch. */
    public long joins() {
        return occupancy.joins();
    }

    /** Jobs that were dropped because nobody waited for them any more, before the kernel saw them. */
    public long abandonedJobs() {
        return queue.abandoned();
    }

    /** Jobs that were dropped because their time was over, before the kernel saw them. */
    public long expiredJobs() {
        return queue.expired();
    }

    /**
     * Refuses new work and waits for what is queued and running.
     *
     * @return whether all of it is done
     */
    public boolean drain(Duration timeout) {
        try {
            return queue.drain(timeout);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /**
     * Fails what is queued with {@link DrainingException}, lets each lane end its batch, and gives the native memory
     * back. A second call does nothing.
     */
    @Override
    public void close() {
        for (Job job : queue.close()) {
            job.result().completeExceptionally(new DrainingException());
        }
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    // The session's memory may not go while the kernel uses it.
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
