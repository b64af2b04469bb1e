package io.gatun.service;

import io.gatun.batch.BatchFailedException;
import io.gatun.batch.DeadlineException;
import io.gatun.batch.DrainingException;
import io.gatun.batch.QueueFullException;
import io.gatun.task.NonFiniteLogitsException;
import io.gatun.text.TokenizerException;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * An error as the client hears of it. {@link #of} is the one table from exceptions to errors; each door has its own from
 * their types to a status.
 *
 * @param retryAfterSeconds when another try may succeed, if that is known
 */
public record Problem(ErrorType type, String message, OptionalLong retryAfterSeconds) {

    public Problem(ErrorType type, String message) {
        this(type, message, OptionalLong.empty());
    }

    /** The error that stands for an exception, if it is one that requests can cause. */
    public static Optional<Problem> of(Throwable e) {
        return Optional.ofNullable(
                switch (e) {
                    case RequestException r -> r.problem();
                    case TokenizerException t -> new Problem(ErrorType.TOKENIZER, sentence(t));
                    case QueueFullException q ->
                        new Problem(
                                ErrorType.OVERLOADED,
                                "The server is busy; try again in " + q.retryAfterSeconds() + " s.",
                                OptionalLong.of(q.retryAfterSeconds()));
                    case DeadlineException d -> new Problem(ErrorType.EXPIRED, sentence(d), OptionalLong.of(1));
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
                                OptionalLong.of(1));
                    default -> null;
                });
    }

    /** What is told of a fault of the server's own. */
    public static Problem unexpected() {
        return new Problem(
                ErrorType.BACKEND, "The server failed at this request, which is its own fault; see its log.");
    }

    private static String sentence(Throwable e) {
        String message = e.getMessage();
        return message == null ? "The text cannot be tokenized." : message;
    }
}
