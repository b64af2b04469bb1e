package io.gatun.http;

import io.gatun.batch.BatchFailedException;
import io.gatun.batch.DrainingException;
import io.gatun.batch.QueueFullException;
import io.gatun.task.NonFiniteLogitsException;
import io.gatun.text.TokenizerException;
import java.util.Map;
import java.util.Optional;

/**
 * An error as the client sees it. {@link #of} is the one table from exceptions to errors.
 *
 * @param headers further headers of the answer
 */
record Problem(ErrorType type, String message, Map<String, String> headers) {

    Problem(ErrorType type, String message) {
        this(type, message, Map.of());
    }

    /** The error that stands for an exception, if it is one that requests can cause. */
    static Optional<Problem> of(Throwable e) {
        return Optional.ofNullable(
                switch (e) {
                    case RequestException r -> new Problem(r.type(), sentence(r), r.headers());
                    case TokenizerException t -> new Problem(ErrorType.TOKENIZER, sentence(t));
                    case QueueFullException q ->
                        new Problem(
                                ErrorType.OVERLOADED,
                                "The server is busy; try again in " + q.retryAfterSeconds() + " s.",
                                Map.of("Retry-After", Long.toString(q.retryAfterSeconds())));
                    case DrainingException d ->
                        new Problem(ErrorType.UNHEALTHY, "The server is shutting down; send the request elsewhere.");
                    case BatchFailedException b ->
                        new Problem(ErrorType.BACKEND, "The model could not compute this request; try it again.");
                    case NonFiniteLogitsException n ->
                        new Problem(
                                ErrorType.BACKEND,
                                "The model computed a value that is no number for this request; its file may be damaged.");
                    case OutOfMemoryError o ->
                        new Problem(
                                ErrorType.OVERLOADED,
                                "The server has too little memory for this request now; send a smaller one, or try again.",
                                Map.of("Retry-After", "1"));
                    default -> null;
                });
    }

    static Problem unexpected() {
        return new Problem(
                ErrorType.BACKEND, "The server failed at this request, which is its own fault; see its log.");
    }

    static Problem wrongMethod(String method, String path, String allowed) {
        return new Problem(
                ErrorType.WRONG_METHOD,
                path + " does not take " + method + "; use " + allowed + ".",
                Map.of("Allow", allowed));
    }

    static Problem notFound() {
        return new Problem(ErrorType.NOT_FOUND, "There is no such route; GET /openapi lists those that there are.");
    }

    private static String sentence(Throwable e) {
        String message = e.getMessage();
        return message == null ? "The text cannot be tokenized." : message;
    }
}
