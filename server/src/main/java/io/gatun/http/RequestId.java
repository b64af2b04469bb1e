package io.gatun.http;

import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;

/** What a request is called in its answer: as it calls itself, as its trace is called, or something new. */
final class RequestId {
    static final HeaderName HEADER = HeaderNames.create("x-request-id");

    private static final int MAX_LENGTH = 128;

    private RequestId() {}

    /** {@code traceId}: that of the trace to which the request belongs, or an empty text. */
    static String of(ServerRequest request, String traceId) {
        String given = request.headers().first(HEADER).orElse(traceId);
        if (!given.isEmpty() && given.length() <= MAX_LENGTH && given.chars().allMatch(c -> c >= ' ' && c <= '~')) {
            return given;
        }
        return random();
    }

    static String random() {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        HexFormat hex = HexFormat.of();
        return hex.toHexDigits(random.nextLong()) + hex.toHexDigits(random.nextLong());
    }
}
