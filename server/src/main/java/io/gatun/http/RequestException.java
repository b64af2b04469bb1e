package io.gatun.http;

/** A request that cannot be answered, in one sentence that says what to do. */
final class RequestException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final ErrorType type;

    RequestException(ErrorType type, String message) {
        super(message, null, false, false);
        this.type = type;
    }

    static RequestException validation(String message) {
        return new RequestException(ErrorType.VALIDATION, message);
    }

    ErrorType type() {
        return type;
    }
}
