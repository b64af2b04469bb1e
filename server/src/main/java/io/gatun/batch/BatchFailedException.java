package io.gatun.batch;

/** The kernel could not compute a batch. The lane goes on. */
public final class BatchFailedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    BatchFailedException(Throwable cause) {
        super("The model could not be run: " + cause.getMessage(), cause);
    }
}
