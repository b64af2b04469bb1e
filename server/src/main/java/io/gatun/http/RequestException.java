package io.gatun.http;

import java.util.Map;

/** A request that cannot be answered, in one sentence that says what to do. */
final class RequestException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final ErrorType type;
    private final Map<String, String> headers;

    RequestException(ErrorType type, String message) {
        this(type, message, Map.of());
    }

    /** With further headers for the answer. */
    RequestException(ErrorType type, String message, Map<String, String> headers) {
        super(message, null, false, false);
        this.type = type;
        this.headers = Map.copyOf(headers);
    }

    static RequestException validation(String message) {
        return new RequestException(ErrorType.VALIDATION, message);
    }

    /** A request after which nothing on its connection can be understood: the answer is the last. */
    static RequestException last(ErrorType type, String message) {
        return new RequestException(type, message, Map.of(Reply.CONNECTION, Reply.CLOSE));
    }

    ErrorType type() {
        return type;
    }

    @SuppressWarnings("ImmutableMemberCollection") // Map.copyOf made it
    Map<String, String> headers() {
        return headers;
    }
}
