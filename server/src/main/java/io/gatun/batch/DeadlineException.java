package io.gatun.batch;

/** A job's time was over, or would have been, before a lane could compute it. The kernel never saw it. */
public final class DeadlineException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public DeadlineException() {
        super("The time that the request gave was over before it could be computed.", null, false, false);
    }
}
