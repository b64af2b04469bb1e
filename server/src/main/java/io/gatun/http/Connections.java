package io.gatun.http;

import io.helidon.common.socket.SocketOptions;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The connections that are open, so that those on which nothing comes make room for others: closed after a time and,
 * where there are as many as may be, the one that was silent longest as soon as another comes. A server that lets new
 * connections wait instead could be stopped by clients that connect and say nothing. Thread-safe.
 */
final class Connections implements AutoCloseable {
    /** Closed connections leave the count with the next look. */
    private static final Duration LOOK = Duration.ofSeconds(1);

    /** One connection. Written by its own thread, read by others. */
    static final class Connection {
        private final SocketChannel channel;
        private volatile long lastRead = System.nanoTime();
        /** When the request began that is being read; 0: none is. */
        private volatile long requestStart;

        /** When its answer began to be awaited; 0: none is. */
        private volatile long answerStart;

        private Connection(SocketChannel channel) {
            this.channel = channel;
        }

        /** Bytes came. */
        void read(long now) {
            lastRead = now;
            if (requestStart == 0) {
                requestStart = now;
            }
        }

        /** A request came whole, and its answer is awaited. */
        void answers() {
            answerStart = System.nanoTime();
        }

        /** The answer was sent; nothing is owed. */
        void answered() {
            lastRead = System.nanoTime();
            requestStart = 0;
            answerStart = 0;
        }

        private boolean isOverdue(long now, long idleNanos, long requestNanos) {
            long answer = answerStart;
            if (answer != 0) {
                // As long to compute it, and as long for the client to take it.
                return now - answer > 2 * requestNanos;
            }
            long request = requestStart;
            return now - lastRead > idleNanos || (request != 0 && now - request > requestNanos);
        }

        private void close() {
            try {
                channel.close();
            } catch (IOException e) {
                // It is gone, which is what was wanted.
            }
        }
    }

    private final int most;
    private final Duration idleTimeout;
    private final Duration requestTimeout;
    private final Map<SocketAddress, Connection> open = new ConcurrentHashMap<>();
    private final Timer timer = new Timer("gatun-connections", true);

    /**
     * Watches connections.
     *
     * @param most how many may be open
     * @param idleTimeout how long nothing may come
     * @param requestTimeout how long a request may take to come whole
     */
    Connections(int most, Duration idleTimeout, Duration requestTimeout) {
        this.most = most;
        this.idleTimeout = idleTimeout;
        this.requestTimeout = requestTimeout;
        TimerTask looks = new TimerTask() {
            @Override
            public void run() {
                look();
            }
        };
        timer.schedule(looks, LOOK.toMillis(), LOOK.toMillis());
    }

    /** The options of Helidon's connections: they are the one thing that it asks as soon as a connection is there. */
    SocketOptions watched(SocketOptions options) {
        return new WatchedSocketOptions(options, this);
    }

    /** A client has connected. */
    void accepted(SocketChannel channel) {
        if (open.size() >= most) {
            open.values().removeIf(connection -> !connection.channel.isOpen());
            while (open.size() >= most && closeSilent()) {
                // Until there is room, or all are being answered.
            }
        }
        try {
            open.put(channel.getRemoteAddress(), new Connection(channel));
        } catch (IOException e) {
            // It has gone already.
        }
    }

    Optional<Connection> of(SocketAddress client) {
        return Optional.ofNullable(open.get(client));
    }

    private boolean closeSilent() {
        Optional<Map.Entry<SocketAddress, Connection>> silent = open.entrySet().stream()
                .filter(entry -> entry.getValue().answerStart == 0)
                .min(Comparator.comparingLong(entry -> entry.getValue().lastRead));
        silent.ifPresent(entry -> {
            open.remove(entry.getKey(), entry.getValue());
            entry.getValue().close();
        });
        return silent.isPresent();
    }

    private void look() {
        long now = System.nanoTime();
        open.values().removeIf(connection -> {
            if (connection.isOverdue(now, idleTimeout.toNanos(), requestTimeout.toNanos())) {
                connection.close();
            }
            return !connection.channel.isOpen();
        });
    }

    @Override
    public void close() {
        timer.cancel();
    }
}
