package io.gatun.batch;

/** The lanes take no more work: the program is about to end. */
public final class DrainingException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public DrainingException() {
        super("The server is shutting down; send the request to another one, or again later.");
    }
}
