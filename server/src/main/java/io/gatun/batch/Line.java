package io.gatun.batch;

import io.gatun.kernel.SessionLimits;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** The jobs of one priority, first in, first out, without those that nobody waits for. Under the queue's lock. */
final class Line {
    private final ArrayDeque<Job> jobs = new ArrayDeque<>();
    private int tokens;
    private long abandoned;
    private long expired;

    void add(Job job) {
        jobs.add(job);
        tokens += job.tokens();
    }

    boolean isEmpty() {
        return jobs.isEmpty();
    }

    int size() {
        return jobs.size();
    }

    int tokens() {
        return tokens;
    }

    /** Jobs that left because their client did. */
    long abandoned() {
        return abandoned;
    }

    /** Jobs that left because their time was over. */
    long expired() {
        return expired;
    }

    /** Drops from the front what nobody waits for. */
    void dropFront(long now) {
        while (!jobs.isEmpty() && isDead(jobs.element(), now)) {
            tokens -= jobs.remove().tokens();
        }
    }

    /** Those behind a job that somebody still waits for, too. */
    void dropAll(long now) {
        for (Iterator<Job> each = jobs.iterator(); each.hasNext(); ) {
            Job job = each.next();
            if (isDead(job, now)) {
                tokens -= job.tokens();
                each.remove();
            }
        }
    }

    private boolean isDead(Job job, long now) {
        if (job.abandoned()) {
            abandoned++;
            return true;
        }
        return expires(job, 0, now);
    }

    private boolean expires(Job job, long nanos, long now) {
        if (job.left(now) > nanos) {
            return false;
        }
        job.result().completeExceptionally(new DeadlineException());
        expired++;
        return true;
    }

    /**
     * Takes the front: at least one job, if one is alive, and no more than fit. A job whose own time is shorter than the
     * batch would take makes room for those behind it, if there are any.
     */
    List<Job> cut(SessionLimits limits, int maxTokens, CostModel cost, long now) {
        List<Job> batch = new ArrayList<>();
        int taken = 0;
        int masks = 0;
        while (!jobs.isEmpty() && batch.size() < limits.maxSequences()) {
            Job job = jobs.element();
            boolean dead = isDead(job, now) || (jobs.size() > 1 && expires(job, cost.nanos(job.tokens()), now));
            boolean full = taken + job.tokens() > maxTokens || masks + job.masks() > limits.maxMasks();
            if (!dead && !batch.isEmpty() && full) {
                break;
            }
            jobs.remove();
            tokens -= job.tokens();
            if (!dead) {
                batch.add(job);
                taken += job.tokens();
                masks += job.masks();
            }
        }
        return batch;
    }

    List<Job> clear() {
        List<Job> all = List.copyOf(jobs);
        jobs.clear();
        tokens = 0;
        return all;
    }
}
