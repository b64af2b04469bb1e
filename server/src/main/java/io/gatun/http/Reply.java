package io.gatun.http;

import java.util.Map;

/** What a request is answered. */
@SuppressWarnings("ArrayRecordComponent") // made once a request, never compared
record Reply(int status, String contentType, byte[] body, Map<String, String> headers) {
    static final String CONNECTION = "Connection";
    static final String CLOSE = "close";

    private static final String JSON = "application/json";

    static Reply json(byte[] body) {
        return new Reply(200, JSON, body, Map.of());
    }

    static Reply json(byte[] body, Map<String, String> headers) {
        return new Reply(200, JSON, body, headers);
    }

    /** Whether nothing more is to be read on the connection. */
    boolean last() {
        return CLOSE.equals(headers.get(CONNECTION));
    }

    static Reply error(Problem problem) {
        return new Reply(problem.type().status(), JSON, Json.error(problem), problem.headers());
    }
}
