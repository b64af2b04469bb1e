package io.gatun.telemetry;

/** OpenTelemetry cannot do what its environment variables say, in one sentence for the one who started the server. */
public final class TelemetryException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TelemetryException(String message, Throwable cause) {
        super(message, cause);
    }
}
