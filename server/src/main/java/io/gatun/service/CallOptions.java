package io.gatun.service;

import io.gatun.batch.Priority;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/**
 * What a request asks for beside its answer.
 *
 * @param priority if it says one; otherwise its size decides
 * @param timeout after which nobody wants the answer, if it says one; never longer than the server's
 */
public record CallOptions(Optional<Priority> priority, Optional<Duration> timeout) {
    public static final CallOptions NONE = new CallOptions(Optional.empty(), Optional.empty());

    /**
     * The priority that a request's {@code x-priority} names, in either case.
     *
     * @throws RequestException when it names none
     */
    public static Priority priority(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "interactive" -> Priority.INTERACTIVE;
            case "bulk" -> Priority.BULK;
            default -> throw RequestException.validation("The header x-priority must be interactive or bulk.");
        };
    }
}
