package io.gatun.http;

import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a request is called in its answer: as it calls itself, as its trace is called, or something new. */
final class RequestId {
    static final HeaderName HEADER = HeaderNames.create("x-request-id");

    private static final int MAX_LENGTH = 128;
    private static final HeaderName TRACE_PARENT_HEADER = HeaderNames.create("traceparent");
    private static final Pattern TRACE_PARENT =
            Pattern.compile("[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?");

    private RequestId() {}

    static String of(ServerRequest request) {
        String given = request.headers().first(HEADER).orElseGet(() -> traceId(request));
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

    /** Of W3C's {@code traceparent}, or nothing. */
    private static String traceId(ServerRequest request) {
        Matcher parent = TRACE_PARENT.matcher(
                request.headers().first(TRACE_PARENT_HEADER).orElse(""));
        return parent.matches() ? parent.group(1) : "";
    }
}
