package io.gatun.bench.load;

import io.grpc.Status;

/**
 * How a request ended.
 *
 * @param name its HTTP or gRPC status or, where none came, {@code timeout} or {@code broken}
 */
record Outcome(String name, Kind kind) {
    /** What that means for the one who asked. */
    enum Kind {
        ANSWERED,
        /** By a server that has too much to do. */
        REFUSED,
        FAILED
    }

    static final Outcome TIMEOUT = new Outcome("timeout", Kind.FAILED);
    static final Outcome BROKEN = new Outcome("broken", Kind.FAILED);

    private static final Outcome OK = new Outcome("200", Kind.ANSWERED);

    static Outcome ofGrpc(Status.Code code) {
        return switch (code) {
            case OK -> new Outcome("OK", Kind.ANSWERED);
            case DEADLINE_EXCEEDED -> TIMEOUT;
            case RESOURCE_EXHAUSTED, UNAVAILABLE -> new Outcome(code.name(), Kind.REFUSED);
            default -> new Outcome(code.name(), Kind.FAILED);
        };
    }

    static Outcome ofHttp(int status) {
        return switch (status) {
            case 200 -> OK;
            case 429, 503 -> new Outcome(Integer.toString(status), Kind.REFUSED);
            default -> new Outcome(Integer.toString(status), Kind.FAILED);
        };
    }
}
