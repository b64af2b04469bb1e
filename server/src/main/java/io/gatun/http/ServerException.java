package io.gatun.http;

/** The server cannot start, in one sentence for the one who started it. */
public final class ServerException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ServerException(String message, Throwable cause) {
        super(message, cause);
    }
}
