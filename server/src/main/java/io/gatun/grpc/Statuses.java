package io.gatun.grpc;

import io.gatun.service.CallerGoneException;
import io.gatun.service.ErrorType;
import io.gatun.service.Problem;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Every error as gRPC tells it, with text-embeddings-inference's codes. */
final class Statuses {
    static final Status DRAINING =
            Status.UNAVAILABLE.withDescription("The server is shutting down; send the request elsewhere.");

    private static final Logger LOGGER = Logger.getLogger(GrpcServer.class.getName());
    private static final Metadata.Key<String> RETRY_AFTER =
            Metadata.Key.of("retry-after", Metadata.ASCII_STRING_MARSHALLER);
    /** How long gRPC's own retries wait. */
    private static final Metadata.Key<String> RETRY_PUSHBACK =
            Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER);

    private Statuses() {}

    /** The error that tells of an exception. One that no request should cause is logged. */
    static StatusRuntimeException of(Throwable e) {
        if (e instanceof StatusRuntimeException told) {
            return told;
        }
        if (e instanceof CallerGoneException || e instanceof InterruptedException) {
            return Status.CANCELLED.withDescription("The caller left.").asRuntimeException();
        }
        Optional<Problem> known = Problem.of(e);
        if (known.isEmpty()) {
            LOGGER.log(Level.SEVERE, "A call failed", e);
            return Status.INTERNAL
                    .withDescription(Problem.unexpected().message())
                    .asRuntimeException();
        }
        Problem problem = known.get();
        return of(problem.type())
                .withDescription(problem.message())
                .asRuntimeException(
                        problem.retryAfterSeconds().isPresent()
                                ? retryAfter(problem.retryAfterSeconds().getAsLong())
                                : new Metadata());
    }

    private static Status of(ErrorType type) {
        return switch (type) {
            case EMPTY, VALIDATION, MALFORMED, MEDIA_TYPE -> Status.INVALID_ARGUMENT;
            case UNKNOWN_MODEL, NOT_FOUND -> Status.NOT_FOUND;
            case TOKENIZER, BACKEND -> Status.FAILED_PRECONDITION;
            case OVERLOADED, BODY_TOO_LARGE -> Status.RESOURCE_EXHAUSTED;
            case EXPIRED -> Status.DEADLINE_EXCEEDED;
            case UNHEALTHY -> Status.UNAVAILABLE;
            case UNAUTHORIZED -> Status.UNAUTHENTICATED;
            case WRONG_METHOD -> Status.UNIMPLEMENTED;
        };
    }

    /** The trailers that say when another try may succeed. */
    static Metadata retryAfter(long seconds) {
        Metadata trailers = new Metadata();
        trailers.put(RETRY_AFTER, Long.toString(seconds));
        trailers.put(RETRY_PUSHBACK, Long.toString(1000 * seconds));
        return trailers;
    }
}
