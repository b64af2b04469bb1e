package io.gatun.http;

import java.time.Duration;

/**
 * Where the server listens and what it takes.
 *
 * @param port 0 for any that is free
 * @param maxBodyBytes of a request's body
 * @param maxBodyBytesTogether of the bodies of all requests that are not answered yet
 * @param maxHeaderBytes of a request's headers
 * @param maxConnections open at a time; for a further one the one that was silent longest is closed
 * @param idleTimeout a connection on which nothing comes is closed by then
 * @param requestTimeout a request that has not come whole by then is given up
 * @param drainTimeout how long answers in flight may take when the server is closed
 */
public record ServerSettings(
        String host,
        int port,
        int maxBodyBytes,
        int maxBodyBytesTogether,
        int maxHeaderBytes,
        int maxConnections,
        Duration idleTimeout,
        Duration requestTimeout,
        Duration drainTimeout) {
    /** The usual largest body. */
    public static final int MAX_BODY_BYTES = 2 << 20;
    /** The usual largest headers. */
    public static final int MAX_HEADER_BYTES = 16 << 10;
    /** How long a connection on which nothing comes usually stays. */
    public static final Duration IDLE_TIMEOUT = Duration.ofMinutes(2);
    /** What an open connection holds of the heap, most of it Helidon's buffers. */
    private static final int HEAP_PER_CONNECTION = 24 << 10;

    private static final int CONNECTIONS = 16_384;

    /** A body becomes a text, a tree and tokens: some thirty times its bytes. */
    static final int HEAP_PER_BODY_BYTE = 32;

    /** The usual limits. */
    public static ServerSettings of(String host, int port) {
        return new ServerSettings(
                host,
                port,
                MAX_BODY_BYTES,
                bodiesTogether(MAX_BODY_BYTES),
                MAX_HEADER_BYTES,
                connections(),
                IDLE_TIMEOUT,
                Duration.ofSeconds(60),
                Duration.ofSeconds(30));
    }

    /** As many connections as a quarter of the heap bears. */
    public static int connections() {
        return Math.clamp(Runtime.getRuntime().maxMemory() / 4 / HEAP_PER_CONNECTION, 1, CONNECTIONS);
    }

    /** As many bytes of bodies as the heap bears, and room for two of the largest in any case. */
    public static int bodiesTogether(int maxBodyBytes) {
        long bearable = Runtime.getRuntime().maxMemory() / HEAP_PER_BODY_BYTE;
        return (int) Math.clamp(bearable, Math.min(2L * maxBodyBytes, Integer.MAX_VALUE), Integer.MAX_VALUE);
    }
}
