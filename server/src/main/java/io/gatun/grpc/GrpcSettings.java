package io.gatun.grpc;

import java.time.Duration;

/**
 * Where the gRPC server listens and what it takes.
 *
 * @param port 0 for any that is free
 * @param maxMessageBytes of one message, in or out
 * @param maxMessageBytesTogether of the messages of all calls that are not answered yet
 * @param maxMetadataBytes of a call's headers
 * @param maxConnections open at a time; then the silent make room, and if there is none, further ones are closed at once
 * @param maxCallsPerConnection at a time; a client holds further ones back
 * @param timeout a call that has not been sent or answered by then is given up; streams may last
 * @param drainTimeout how long answers in flight may take when the server is closed
 * @param idleTimeout a connection without a call is closed by then, and one that has not greeted sooner
 */
public record GrpcSettings(
        String host,
        int port,
        int maxMessageBytes,
        long maxMessageBytesTogether,
        int maxMetadataBytes,
        int maxConnections,
        int maxCallsPerConnection,
        Duration timeout,
        Duration drainTimeout,
        Duration idleTimeout) {

    private static final int MAX_MESSAGE_BYTES = 4 << 20; // what gRPC's clients take by default
    /** A message becomes texts and tokens: some thirty times its bytes. */
    private static final int HEAP_PER_MESSAGE_BYTE = 32;

    private static final Duration HANDSHAKE = Duration.ofSeconds(20);

    /** The usual limits. */
    public static GrpcSettings of(String host, int port) {
        return new GrpcSettings(
                host,
                port,
                MAX_MESSAGE_BYTES,
                Math.max(2L * MAX_MESSAGE_BYTES, Runtime.getRuntime().maxMemory() / HEAP_PER_MESSAGE_BYTE),
                16 << 10,
                4096,
                1024,
                Duration.ofSeconds(60),
                Duration.ofSeconds(30),
                Duration.ofMinutes(5));
    }

    /** A connection that has not greeted by then is closed. */
    Duration handshakeTimeout() {
        return idleTimeout.compareTo(HANDSHAKE) < 0 ? idleTimeout : HANDSHAKE;
    }
}
