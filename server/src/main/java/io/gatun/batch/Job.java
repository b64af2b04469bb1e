package io.gatun.batch;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One tokenized text on its way through the queue and a lane. Its future is the only way back; only the one who
 * submitted it waits there.
 */
public final class Job {
    private final int[] ids;
    private final int @Nullable [] typeIds;
    private final Outputs outputs;
    private final long deadline;
    private final CompletableFuture<Answer> result = new CompletableFuture<>();

    /** Set before the job is queued. */
    private int masks;

    /** Set under the queue's lock, read by the lane that took the job. */
    private long enqueued;

    /**
     * A job. The arrays are not copied and must stay as they are.
     *
     * @param ids {@code [tokens]}, special tokens included
     * @param typeIds {@code [tokens]}, or null: all 0
     * @param deadline the {@link System#nanoTime} from which nobody wants the answer
     */
    public Job(int[] ids, int @Nullable [] typeIds, Outputs outputs, long deadline) {
        this.ids = ids;
        this.typeIds = typeIds;
        this.outputs = outputs;
        this.deadline = deadline;
    }

    /**
     * Fails with {@link BatchFailedException} when the kernel could not compute it, with {@link DrainingException} when
     * the lanes were closed before they reached it, with {@link DeadlineException} when its time was over before.
     */
    public CompletableFuture<Answer> result() {
        return result;
    }

    /** Nobody wants the answer any more: unless a lane has already taken the job, the kernel never sees it. */
    public void abandon() {
        result.cancel(false);
    }

    /** Tells whoever waits that its time is over, if it is; a lane that has taken the job computes it in vain. */
    public void expire(long now) {
        if (left(now) <= 0) {
            result.completeExceptionally(new DeadlineException());
        }
    }

    /** Whether nobody waits for it any more. */
    public boolean abandoned() {
        return result.isCancelled();
    }

    public int tokens() {
        return ids.length;
    }

    /** Masks that a batch must have room for. */
    int masks() {
        return masks;
    }

    void masks(int count) {
        masks = count;
    }

    int[] ids() {
        return ids;
    }

    int @Nullable [] typeIds() {
        return typeIds;
    }

    Outputs outputs() {
        return outputs;
    }

    /** Nanoseconds until nobody wants the answer. */
    long left(long now) {
        return deadline - now;
    }

    long enqueued() {
        return enqueued;
    }

    void enqueued(long nanos) {
        enqueued = nanos;
    }
}
