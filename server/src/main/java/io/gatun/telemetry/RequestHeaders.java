package io.gatun.telemetry;

import java.util.Optional;

/** The headers of a request, or its metadata; names in lower case. */
@FunctionalInterface
public interface RequestHeaders {
    Optional<String> first(String name);
}
