package io.gatun.batch;

import io.gatun.kernel.KernelException;
import io.gatun.kernel.Niceness;
import io.gatun.kernel.Session;
import io.gatun.kernel.TokenBatch;
import io.gatun.model.Head;
import io.gatun.model.TextModel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One platform thread with a kernel session of its own: takes a batch, runs it, hands out the answers, again; or joins
 * the batch of another lane while there is nothing else to do. It is a platform thread because a call into the kernel
 * would hold a virtual thread's carrier for a whole batch.
 */
final class Lane implements Runnable {
    /** How long a lane that joins waits for the batch to run: its jobs are being written down, or it has run already. */
    private static final long PATIENCE_NANOS = 100_000;

    private static final int NICENESS = 5;

    private static final float[] NO_VECTORS = {};

    private final TextModel model;
    private final Session session;
    private final BatchQueue queue;
    private final BatchListener listener;
    private final CostModel cost;
    private final Occupancy occupancy;

    Lane(
            TextModel model,
            Session session,
            BatchQueue queue,
            BatchListener listener,
            CostModel cost,
            Occupancy occupancy) {
        this.model = model;
        this.session = session;
        this.queue = queue;
        this.listener = listener;
        this.cost = cost;
        this.occupancy = occupancy;
    }

    @Override
    public void run() {
        // Cores that are all busy answer, and refuse, in no time; a lane has the rest.
        Niceness.raise(NICENESS);
        try (session) {
            while (true) {
                switch (queue.take(session)) {
                    case Work.Batch batch -> answer(batch);
                    case Work.Offer offer -> join(offer);
                    case Work.End() -> {
                        return;
                    }
                }
            }
        } catch (InterruptedException e) {
            // Only closing interrupts a lane, and it fails what is left.
            Thread.currentThread().interrupt();
        }
    }

    private void answer(Work.Batch batch) {
        try {
            compute(batch.jobs(), batch.offer());
        } catch (Throwable e) {
            // Whatever went wrong belongs to this batch: the lane must live.
            fail(batch.jobs(), e);
        } finally {
            queue.finished(batch);
        }
    }

    private void join(Work.Offer offer) {
        long started = System.nanoTime();
        occupancy.started(this, started);
        long pieces = 0;
        while (pieces == 0 && !offer.over() && System.nanoTime() - started < PATIENCE_NANOS) {
            pieces = offer.session().join();
        }
        occupancy.joined(this, System.nanoTime(), pieces > 0);
    }

    private void compute(List<Job> jobs, Work.Offer offer) {
        TokenBatch batch = session.batch();
        batch.clear();
        List<Job> accepted = accept(jobs, batch);
        if (accepted.isEmpty()) {
            return;
        }
        listener.batchTaken(batch.sequences(), batch.tokens());
        long started = System.nanoTime();
        occupancy.started(this, started);
        long finished;
        try {
            session.run(1 + offer.lanes());
        } finally {
            finished = System.nanoTime();
            offer.end();
            occupancy.finished(this, finished);
        }
        cost.ran(batch.tokens(), (finished - started) * (1 + offer.lanes()));
        for (int i = 0; i < accepted.size(); i++) {
            Job job = accepted.get(i);
            job.result()
                    .complete(new Answer(
                            logits(i, job.outputs().heads()),
                            vectors(i, job.outputs().vectors()),
                            started - job.enqueued(),
                            finished - started,
                            batch.tokens(),
                            batch.sequences()));
        }
    }

    /** Puts jobs in the batch. One that the kernel would refuse fails alone. */
    private static List<Job> accept(List<Job> jobs, TokenBatch batch) {
        List<Job> accepted = new ArrayList<>(jobs.size());
        for (Job job : jobs) {
            try {
                batch.add(
                        job.ids(),
                        job.typeIds(),
                        job.outputs().heads(),
                        job.outputs().vectors() != Outputs.Vectors.NONE);
                accepted.add(job);
            } catch (KernelException e) {
                job.result().completeExceptionally(new BatchFailedException(e));
            }
        }
        return accepted;
    }

    private Map<Integer, float[]> logits(int sequence, int heads) {
        Map<Integer, float[]> logits = HashMap.newHashMap(Integer.bitCount(heads));
        for (Head head : model.description().heads()) {
            if ((heads & 1 << head.index()) != 0) {
                logits.put(head.index(), session.logits(sequence, head.index()));
            }
        }
        return logits;
    }

    private float[] vectors(int sequence, Outputs.Vectors vectors) {
        return switch (vectors) {
            case NONE -> NO_VECTORS;
            case MEAN -> session.meanState(sequence);
            case FIRST -> session.firstState(sequence);
            case LAST -> session.lastState(sequence);
            case MAX -> session.maxState(sequence);
            case TOKENS -> session.states(sequence);
        };
    }

    private static void fail(List<Job> jobs, Throwable cause) {
        BatchFailedException failure = new BatchFailedException(cause);
        for (Job job : jobs) {
            job.result().completeExceptionally(failure);
        }
    }
}
