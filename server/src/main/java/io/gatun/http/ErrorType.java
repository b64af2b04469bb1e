package io.gatun.http;

/** The kinds of errors: what {@code error_type} says, the status, and what {@code te_request_failure} counts. */
enum ErrorType {
    EMPTY("Empty", 400, "empty"),
    VALIDATION("Validation", 422, "validation"),
    TOKENIZER("Tokenizer", 422, "tokenization"),
    BACKEND("Backend", 424, "inference"),
    OVERLOADED("Overloaded", 429, "overloaded"),
    UNHEALTHY("Unhealthy", 503, "unhealthy"),
    BODY_TOO_LARGE("Validation", 413, "validation"),
    MEDIA_TYPE("Validation", 415, "validation"),
    NOT_FOUND("Validation", 404, "validation"),
    WRONG_METHOD("Validation", 405, "validation"),
    MALFORMED("Validation", 400, "validation");

    private final String wireName;
    private final int status;
    private final String counted;

    ErrorType(String wireName, int status, String counted) {
        this.wireName = wireName;
        this.status = status;
        this.counted = counted;
    }

    String wireName() {
        return wireName;
    }

    int status() {
        return status;
    }

    String counted() {
        return counted;
    }
}
