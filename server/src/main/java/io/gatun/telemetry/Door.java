package io.gatun.telemetry;

/** How a request came in. */
public enum Door {
    HTTP,
    GRPC
}
