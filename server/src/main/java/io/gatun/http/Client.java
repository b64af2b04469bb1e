package io.gatun.http;

import io.gatun.service.Caller;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.socket.PeerInfo;
import io.helidon.webserver.CloseConnectionException;
import java.net.SocketAddress;
import java.security.Principal;
import java.security.cert.Certificate;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The one at the other end of a connection: what it sends is read through here, so that it can be noticed when it hangs
 * up while it should wait for its answer. Nobody reads then, and a socket tells only those who read; so a second thread
 * reads ahead, and what it finds is the beginning of the next request. Used by the connection's thread.
 */
final class Client implements Caller, PeerInfo, Supplier<byte @Nullable []> {
    private final PeerInfo peer;
    private final DataReader socket;
    private final Optional<Connections.Connection> connection;
    private @Nullable CompletableFuture<byte @Nullable []> ahead;
    private volatile @Nullable Runnable departure;

    Client(PeerInfo peer, DataReader socket, Optional<Connections.Connection> connection) {
        this.peer = peer;
        this.socket = socket;
        this.connection = connection;
        cameBytes(); // by which Helidon knew that it speaks HTTP
    }

    private void cameBytes() {
        long now = System.nanoTime();
        connection.ifPresent(watched -> watched.read(now));
    }

    /** Its request came whole; from now on it waits. */
    void waits() {
        connection.ifPresent(Connections.Connection::answers);
    }

    /** Its answer was sent. */
    void isServed() {
        connection.ifPresent(Connections.Connection::answered);
    }

    @Override
    public void whenGone(Runnable action) {
        departure = action;
        CompletableFuture<byte @Nullable []> reading = ahead;
        if (reading == null) {
            CompletableFuture<byte @Nullable []> started = new CompletableFuture<>();
            ahead = started;
            Thread.ofVirtual().name("gatun-client-watch").start(() -> readAhead(started));
        } else if (reading.isCompletedExceptionally() || (reading.isDone() && reading.join() == null)) {
            action.run();
        }
    }

    @Override
    public void isAnswered() {
        departure = null;
    }

    private void readAhead(CompletableFuture<byte @Nullable []> result) {
        byte[] bytes = null;
        try {
            bytes = read();
        } catch (RuntimeException e) {
            result.completeExceptionally(e);
        }
        result.complete(bytes);
        Runnable action = departure;
        if (bytes == null && action != null) {
            action.run();
        }
    }

    /** The next bytes that the client sends, or null when it sends no more. */
    @Override
    public byte @Nullable [] get() {
        CompletableFuture<byte @Nullable []> reading = ahead;
        if (reading == null) {
            return read();
        }
        try {
            byte[] bytes = reading.get();
            ahead = null;
            return bytes;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause
                    ? cause
                    : new CloseConnectionException("The connection broke", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CloseConnectionException("The server ends", e);
        }
    }

    private byte @Nullable [] read() {
        try {
            socket.ensureAvailable();
            cameBytes();
            return socket.readBytes(socket.available());
        } catch (DataReader.InsufficientDataAvailableException e) {
            return null;
        }
    }

    @Override
    public SocketAddress address() {
        return peer.address();
    }

    @Override
    public String host() {
        return peer.host();
    }

    @Override
    public int port() {
        return peer.port();
    }

    @Override
    public Optional<Principal> tlsPrincipal() {
        return peer.tlsPrincipal();
    }

    @Override
    public Optional<Certificate[]> tlsCertificates() {
        return peer.tlsCertificates();
    }
}
