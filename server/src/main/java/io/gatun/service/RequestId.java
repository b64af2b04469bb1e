package io.gatun.service;

import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/** What a request is called in its answer: as it calls itself, as its trace is called, or something new. */
public final class RequestId {
    private static final int MAX_LENGTH = 128;

    private RequestId() {}

    /** {@code traceId}: that of the trace to which the request belongs, or an empty text. */
    public static String of(Optional<String> given, String traceId) {
        String id = given.orElse(traceId);
        boolean usable =
                !id.isEmpty() && id.length() <= MAX_LENGTH && id.chars().allMatch(c -> c >= ' ' && c <= '~');
        return usable ? id : random();
    }

    /** Something new. */
    public static String random() {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        HexFormat hex = HexFormat.of();
        return hex.toHexDigits(random.nextLong()) + hex.toHexDigits(random.nextLong());
    }
}
