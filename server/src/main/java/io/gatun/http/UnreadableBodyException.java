package io.gatun.http;

import io.gatun.service.ErrorType;
import io.gatun.service.Problem;

/** A request after which nothing on its connection can be understood: the answer is the last. */
final class UnreadableBodyException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Problem problem;

    UnreadableBodyException(ErrorType type, String message) {
        super(message, null, false, false);
        this.problem = new Problem(type, message);
    }

    Problem problem() {
        return problem;
    }
}
