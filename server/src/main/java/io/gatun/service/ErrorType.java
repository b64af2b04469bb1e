package io.gatun.service;

/** The kinds of errors, as text-embeddings-inference names them and as its dashboards count them. */
public enum ErrorType {
    EMPTY("Empty", "empty"),
    VALIDATION("Validation", "validation"),
    UNKNOWN_MODEL("Validation", "validation"),
    TOKENIZER("Tokenizer", "tokenization"),
    BACKEND("Backend", "inference"),
    OVERLOADED("Overloaded", "overloaded"),
    /** The time that the request gave was over. */
    EXPIRED("Overloaded", "overloaded"),
    UNHEALTHY("Unhealthy", "unhealthy"),
    UNAUTHORIZED("Unauthorized", "unauthorized"),
    BODY_TOO_LARGE("Validation", "validation"),
    MEDIA_TYPE("Validation", "validation"),
    NOT_FOUND("Validation", "validation"),
    WRONG_METHOD("Validation", "validation"),
    MALFORMED("Validation", "validation");

    private final String wireName;
    private final String counted;

    ErrorType(String wireName, String counted) {
        this.wireName = wireName;
        this.counted = counted;
    }

    /** What {@code error_type} says. */
    public String wireName() {
        return wireName;
    }

    /** What {@code te_request_failure} counts. */
    public String counted() {
        return counted;
    }
}
