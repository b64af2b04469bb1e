package io.gatun.bench.load;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * HTTP/1.1 over connections that are kept. Who sends writes to the socket at once; one thread reads all answers. What
 * finds no connection free opens one, up to a bound, and then waits. Requests are made beforehand, so that sending one
 * costs little more than its two system calls.
 */
final class HttpClient implements Client {
    private static final int READ_BYTES = 64 << 10;
    private static final int EXPIRY_STEP_MS = 20;
    private static final long EXPIRY_STEP_NANOS = EXPIRY_STEP_MS * 1_000_000L;
    private static final ByteBuffer NO_BODY = ByteBuffer.allocate(0);

    private final InetSocketAddress address;
    private final List<ByteBuffer> requests;
    private final int maxConnections;
    private final long timeoutNanos;
    private final Selector selector;
    private final Thread reader;
    private final ByteBuffer read = ByteBuffer.allocateDirect(READ_BYTES);

    /** Guards all that follows. Held for a system call at most. */
    private final ReentrantLock lock = new ReentrantLock();

    private final Set<Connection> open = new HashSet<>();
    private final Deque<Connection> idle = new ArrayDeque<>();
    private final Deque<Exchange> waiting = new ArrayDeque<>();
    private int outstanding;
    private boolean closed;

    /** One request and who waits for its answer. */
    private record Exchange(int text, long intended, Consumer<Answer> heard, ByteBuffer request) {}

    /** A socket, with the exchange that it carries. */
    private static final class Connection {
        private final SocketChannel channel;
        private final HttpResponse response = new HttpResponse();
        private @Nullable SelectionKey key;
        private @Nullable Exchange exchange;

        Connection(SocketChannel channel) {
            this.channel = channel;
        }
    }

    /**
     * A client that has no connection yet.
     *
     * @param requests whole requests, head and body, by text
     * @param timeout what is not answered so long after its intended time is given up, and its connection closed
     */
    HttpClient(InetSocketAddress address, List<byte[]> requests, int maxConnections, Duration timeout) {
        this.address = address;
        this.requests = requests.stream().map(HttpClient::direct).toList();
        this.maxConnections = maxConnections;
        this.timeoutNanos = timeout.toNanos();
        try {
            this.selector = Selector.open();
        } catch (IOException e) {
            throw new LoadException("No sockets can be opened: " + e.getMessage() + ".", e);
        }
        this.reader = Thread.ofPlatform().daemon().name("http-reader").start(this::readAll);
    }

    private static ByteBuffer direct(byte[] request) {
        return ByteBuffer.allocateDirect(request.length).put(request).flip().asReadOnlyBuffer();
    }

    @Override
    public void send(int text, long intended, Consumer<Answer> heard) {
        lock.lock();
        try {
            outstanding++;
            waiting.add(new Exchange(text, intended, heard, requests.get(text).duplicate()));
            sendWaiting();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int outstanding() {
        lock.lock();
        try {
            return outstanding;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            open.forEach(HttpClient::closeQuietly);
        } finally {
            lock.unlock();
        }
        selector.wakeup();
        try {
            reader.join();
            selector.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            throw new LoadException("The sockets cannot be closed: " + e.getMessage() + ".", e);
        }
    }

    /** The connection that was used last goes first: it is the one whose state the caches still hold. */
    private void sendWaiting() {
        while (!waiting.isEmpty()) {
            Connection connection = idle.pollLast();
            if (connection == null && open.size() < maxConnections) {
                connection = connect();
            }
            if (connection == null) {
                return;
            }
            connection.exchange = waiting.poll();
            if (connection.channel.isConnected()) {
                write(connection);
            }
        }
    }

    /** Null when the system has no more sockets; then a request waits, as if the bound were there. */
    private @Nullable Connection connect() {
        try {
            SocketChannel channel = SocketChannel.open();
            Connection connection = new Connection(channel);
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            boolean connected = channel.connect(address);
            connection.key =
                    channel.register(selector, connected ? SelectionKey.OP_READ : SelectionKey.OP_CONNECT, connection);
            open.add(connection);
            selector.wakeup();
            return connection;
        } catch (IOException e) {
            return null;
        }
    }

    private void write(Connection connection) {
        Exchange exchange = connection.exchange;
        SelectionKey key = connection.key;
        if (exchange == null || key == null) {
            return;
        }
        try {
            connection.channel.write(exchange.request);
            int wanted = SelectionKey.OP_READ | (exchange.request.hasRemaining() ? SelectionKey.OP_WRITE : 0);
            if (key.interestOps() != wanted) {
                key.interestOps(wanted);
                selector.wakeup();
            }
        } catch (IOException e) {
            end(connection, Outcome.BROKEN, NO_BODY, System.nanoTime());
            drop(connection);
        }
    }

    private void readAll() {
        long expired = System.nanoTime();
        while (true) {
            try {
                selector.select(EXPIRY_STEP_MS);
            } catch (IOException e) {
                throw new LoadException("The sockets cannot be read: " + e.getMessage() + ".", e);
            }
            lock.lock();
            try {
                if (closed) {
                    return;
                }
                long now = System.nanoTime();
                for (SelectionKey key : selector.selectedKeys()) {
                    if (key.attachment() instanceof Connection connection && key.isValid()) {
                        ready(connection, key, now);
                    }
                }
                selector.selectedKeys().clear();
                if (now - expired > EXPIRY_STEP_NANOS) {
                    expired = now;
                    expire(now);
                    sendWaiting();
                }
            } finally {
                lock.unlock();
            }
        }
    }

    private void ready(Connection connection, SelectionKey key, long now) {
        try {
            if (key.isConnectable()) {
                connection.channel.finishConnect();
                write(connection);
                return;
            }
            if (key.isWritable()) {
                write(connection);
            }
            if (key.isValid() && key.isReadable()) {
                read(connection, now);
            }
        } catch (IOException | IllegalArgumentException e) {
            end(connection, Outcome.BROKEN, NO_BODY, now);
            drop(connection);
        }
    }

    private void read(Connection connection, long now) throws IOException {
        int count = connection.channel.read(read.clear());
        Exchange exchange = connection.exchange;
        if (count < 0 || exchange == null) {
            throw new IOException("the server closed the connection, or said what nobody asked");
        }
        connection.response.add(read.flip());
        byte[] body = connection.response.body();
        if (body == null) {
            return;
        }
        Outcome outcome = Outcome.ofHttp(connection.response.status());
        // Free before it is told: who hears the answer may send the next request.
        connection.exchange = null;
        if (connection.response.close()) {
            drop(connection);
        } else {
            connection.response.clear();
            idle.addLast(connection);
        }
        tell(exchange, outcome, ByteBuffer.wrap(body), now);
        sendWaiting();
    }

    private void expire(long now) {
        for (Connection connection : List.copyOf(open)) {
            Exchange exchange = connection.exchange;
            if (exchange != null && now - exchange.intended > timeoutNanos) {
                end(connection, Outcome.TIMEOUT, NO_BODY, now);
                drop(connection);
            }
        }
        while (!waiting.isEmpty() && now - waiting.getFirst().intended > timeoutNanos) {
            tell(waiting.removeFirst(), Outcome.TIMEOUT, NO_BODY, now);
        }
    }

    /** Tells how the connection's exchange ended, if it has one. */
    private void end(Connection connection, Outcome outcome, ByteBuffer body, long now) {
        Exchange exchange = connection.exchange;
        connection.exchange = null;
        if (exchange != null) {
            tell(exchange, outcome, body, now);
        }
    }

    private void tell(Exchange exchange, Outcome outcome, ByteBuffer body, long now) {
        outstanding--;
        exchange.heard.accept(new Answer(exchange.text, exchange.intended, now, outcome, body));
    }

    private void drop(Connection connection) {
        open.remove(connection);
        idle.remove(connection);
        closeQuietly(connection);
    }

    private static void closeQuietly(Connection connection) {
        try {
            connection.channel.close();
        } catch (IOException e) {
            // It is gone either way.
        }
    }
}
