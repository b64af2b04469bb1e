package io.gatun.http;

import java.time.Duration;

/**
 * Where the server listens and what it takes.
 *
 * @param port 0 for any that is free
 * @param maxBodyBytes of a request's body
 * @param maxTexts of one request
 * @param maxConnections open at a time; further ones wait to be accepted
 * @param timeout a request that is not answered by then is given up
 * @param idleTimeout a connection on which nothing comes is closed by then
 */
public record ServerSettings(
        String host,
        int port,
        int maxBodyBytes,
        int maxTexts,
        int maxConnections,
        Duration timeout,
        Duration idleTimeout) {

    /** The usual limits. */
    public static ServerSettings of(String host, int port) {
        return new ServerSettings(host, port, 2 << 20, 1024, 4096, Duration.ofSeconds(60), Duration.ofMinutes(5));
    }
}
