package io.gatun.service;

import java.util.OptionalLong;

/** A request that cannot be answered, in one sentence that says what to do. */
public final class RequestException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Problem problem;

    public RequestException(ErrorType type, String message) {
        this(new Problem(type, message, OptionalLong.empty()));
    }

    public RequestException(Problem problem) {
        super(problem.message(), null, false, false);
        this.problem = problem;
    }

    public static RequestException validation(String message) {
        return new RequestException(ErrorType.VALIDATION, message);
    }

    /** More than can be done now; worth another try in so many seconds. */
    public static RequestException overloaded(String message, long retryAfterSeconds) {
        return new RequestException(new Problem(ErrorType.OVERLOADED, message, OptionalLong.of(retryAfterSeconds)));
    }

    public Problem problem() {
        return problem;
    }
}
