package io.gatun.batch;

/** The queue is at its bound. Nothing of the request was taken. */
public final class QueueFullException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final long retryAfterSeconds;

    QueueFullException(int jobs, int tokens, long retryAfterSeconds) {
        super("The queue is full: " + jobs + " texts of " + tokens + " tokens are waiting; try again in "
                + retryAfterSeconds + " s.");
        this.retryAfterSeconds = retryAfterSeconds;
    }

    /** In how many seconds what is queued now will be done, at the speed that was measured; at least 1. */
    public long retryAfterSeconds() {
        return retryAfterSeconds;
    }
}
