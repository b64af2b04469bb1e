package io.gatun.http;

import java.time.Duration;

/**
 * Where the server listens and what it takes.
 *
 * @param port 0 for any that is free
 * @param maxBodyBytes of a request's body
 * @param maxBodyBytesTogether of the bodies of all requests that are not answered yet
 * @param maxTexts of one request
 * @param maxConnections open at a time; further ones wait to be accepted
 * @param timeout a request that is not answered by then is given up
 * @param idleTimeout a connection on which nothing comes is closed by then
 */
public record ServerSettings(
        String host,
        int port,
        int maxBodyBytes,
        int maxBodyBytesTogether,
        int maxTexts,
        int maxConnections,
        Duration timeout,
        Duration idleTimeout) {

    private static final int MAX_BODY_BYTES = 2 << 20;
    /** A body becomes a text, a tree and tokens: some thirty times its bytes. */
    private static final int HEAP_PER_BODY_BYTE = 32;

    /** The usual limits. */
    public static ServerSettings of(String host, int port) {
        long together = Runtime.getRuntime().maxMemory() / HEAP_PER_BODY_BYTE;
        return new ServerSettings(
                host,
                port,
                MAX_BODY_BYTES,
                (int) Math.clamp(together, 2L * MAX_BODY_BYTES, Integer.MAX_VALUE),
                1024,
                4096,
                Duration.ofSeconds(60),
                Duration.ofMinutes(5));
    }
}
