package io.gatun.http;

import io.gatun.service.ErrorType;
import io.gatun.service.Problem;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a request is answered.
 *
 * @param body empty where {@code large} is
 * @param large written as it is sent, for what would be too much to hold twice
 */
@SuppressWarnings("ArrayRecordComponent") // made once a request, never compared
record Reply(int status, String contentType, byte[] body, Json.@Nullable Content large, Map<String, String> headers) {
    static final String CONNECTION = "Connection";
    static final String CLOSE = "close";

    private static final int NO_CONTENT = 204;
    private static final String JSON = "application/json";

    static Reply of(String contentType, byte[] body) {
        return new Reply(200, contentType, body, null, Map.of());
    }

    static Reply json(Json.Content content) {
        return of(JSON, Json.bytes(content));
    }

    /** The answer of a request that takes megabytes. */
    static Reply largeJson(Json.Content content) {
        return new Reply(200, JSON, new byte[0], content, Map.of());
    }

    static Reply error(Problem problem, ErrorStyle style) {
        Map<String, String> headers = new TreeMap<>();
        problem.retryAfterSeconds().ifPresent(seconds -> headers.put("Retry-After", Long.toString(seconds)));
        if (problem.type() == ErrorType.UNAUTHORIZED) {
            headers.put("WWW-Authenticate", "Bearer");
        }
        return new Reply(Status.of(problem.type()), JSON, style.body(problem), null, headers);
    }

    /** No more than a status and headers. */
    static Reply empty(Map<String, String> headers) {
        return new Reply(NO_CONTENT, "", new byte[0], null, headers);
    }

    /** All of the body. */
    byte[] bytes() {
        return large == null ? body : Json.bytes(large);
    }

    boolean isEmpty() {
        return status == NO_CONTENT;
    }

    /** With one more header. */
    Reply with(String name, String value) {
        return with(Map.of(name, value));
    }

    /** With more headers. */
    Reply with(Map<String, String> added) {
        Map<String, String> more = new TreeMap<>(headers);
        more.putAll(added);
        return new Reply(status, contentType, body, large, more);
    }

    /** The same, and nothing more is to be read on the connection. */
    Reply last() {
        return with(CONNECTION, CLOSE);
    }

    boolean isLast() {
        return CLOSE.equals(headers.get(CONNECTION));
    }
}
