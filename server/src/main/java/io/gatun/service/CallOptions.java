package io.gatun.service;

import io.gatun.batch.Priority;
import java.time.Duration;
import java.util.Optional;

/**
 * What a request asks for beside its answer.
 *
 * @param priority if it says one; otherwise its size decides
 * @param timeout after which nobody wants the answer, if it says one; never longer than the server's
 */
public record CallOptions(Optional<Priority> priority, Optional<Duration> timeout) {
    public static final CallOptions NONE = new CallOptions(Optional.empty(), Optional.empty());
}
