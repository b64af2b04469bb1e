package io.gatun.batch;

/** More waits than may, or than can be computed in the time that the request gives. Nothing of the request was taken. */
public final class QueueFullException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final long retryAfterSeconds;

    QueueFullException(int jobs, int tokens, long retryAfterSeconds) {
        super(
                jobs + " texts of " + tokens + " tokens are waiting; try again in " + retryAfterSeconds + " s.",
                null,
                false,
                false);
        this.retryAfterSeconds = retryAfterSeconds;
    }

    /** In how many seconds what is queued now will be done, at the speed that was measured; at least 1. */
    public long retryAfterSeconds() {
        return retryAfterSeconds;
    }
}
