package io.gatun.edge;

/** A door cannot be opened, in one sentence for the one who started the server. */
public final class ListenException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ListenException(String message, Throwable cause) {
        super(message, cause);
    }
}
