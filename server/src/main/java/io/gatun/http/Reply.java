package io.gatun.http;

import java.util.Map;

/** A successful answer. */
@SuppressWarnings("ArrayRecordComponent") // made once a request, never compared
record Reply(int status, String contentType, byte[] body, Map<String, String> headers) {
    private static final String JSON = "application/json";

    static Reply json(byte[] body) {
        return new Reply(200, JSON, body, Map.of());
    }

    static Reply json(byte[] body, Map<String, String> headers) {
        return new Reply(200, JSON, body, headers);
    }

    static Reply error(Problem problem) {
        return new Reply(problem.type().status(), JSON, Json.error(problem), problem.headers());
    }
}
