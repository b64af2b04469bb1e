package io.gatun.grpc;

/** The server cannot start, in one sentence for the one who started it. */
public final class GrpcServerException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    GrpcServerException(String message, Throwable cause) {
        super(message, cause);
    }
}
