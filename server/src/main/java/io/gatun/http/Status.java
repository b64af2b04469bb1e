package io.gatun.http;

import io.gatun.service.ErrorType;

/** The one table from errors to statuses. */
final class Status {
    private Status() {}

    static int of(ErrorType type) {
        return switch (type) {
            case EMPTY, MALFORMED -> 400;
            case UNAUTHORIZED -> 401;
            case NOT_FOUND, UNKNOWN_MODEL -> 404;
            case WRONG_METHOD -> 405;
            case BODY_TOO_LARGE -> 413;
            case MEDIA_TYPE -> 415;
            case VALIDATION, TOKENIZER -> 422;
            case BACKEND -> 424;
            case OVERLOADED, EXPIRED -> 429;
            case UNHEALTHY -> 503;
        };
    }
}
