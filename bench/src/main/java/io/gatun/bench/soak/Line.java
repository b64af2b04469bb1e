package io.gatun.bench.soak;

import io.gatun.bench.load.HttpResponse;
import io.gatun.bench.load.RawMessages;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One client's connections to both doors of a server. Blocking; used by one thread. */
final class Line implements AutoCloseable {
    private static final int READ_LIMIT_MS = 120_000;
    private static final int READ_BYTES = 64 << 10;
    private static final Duration CALL_LIMIT = Duration.ofMinutes(2);
    private static final int ABORT = 0; // a linger of 0: the connection ends with a reset

    private final URI http;
    private final ManagedChannel channel;
    private final byte[] buffer = new byte[READ_BYTES];
    private @Nullable Socket socket;

    /** A response, and whether the server ends the connection with it. */
    private record Received(Reply reply, boolean close) {}

    Line(URI http, URI grpc) {
        this.http = http;
        this.channel = NettyChannelBuilder.forAddress(grpc.getHost(), grpc.getPort())
                .usePlaintext()
                .directExecutor()
                .build();
    }

    /** A whole request. */
    static byte[] request(String method, String path, Map<String, String> headers, byte[] body) {
        StringBuilder head = new StringBuilder(
                method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + body.length + "\r\n");
        headers.forEach(
                (name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
        byte[] start = head.append("\r\n").toString().getBytes(StandardCharsets.US_ASCII);
        byte[] whole = Arrays.copyOf(start, start.length + body.length);
        System.arraycopy(body, 0, whole, start.length, body.length);
        return whole;
    }

    /**
     * Sends a request and reads its response.
     *
     * @throws IOException when the connection breaks; the next request opens another
     */
    Reply send(byte[] request) throws IOException {
        Socket used = socket == null ? connect() : socket;
        socket = null;
        try {
            used.getOutputStream().write(request);
            Received received = read(used);
            if (received.close) {
                used.close();
            } else {
                socket = used;
            }
            return received.reply;
        } catch (IOException | RuntimeException e) {
            used.close();
            throw e;
        }
    }

    /** Sends the first bytes of a request on a connection of its own, waits a little, and leaves. */
    void hangUp(byte[] request, int count, int waitMs, boolean abort) throws IOException, InterruptedException {
        try (Socket left = connect()) {
            left.getOutputStream().write(request, 0, count);
            Thread.sleep(waitMs);
            if (abort) {
                left.setSoLinger(true, ABORT);
            }
        }
    }

    /** Sends the head and half of the body, and after a pause the rest. */
    Reply sendSlowly(byte[] request, int first, int pauseMs) throws IOException, InterruptedException {
        try (Socket slow = connect()) {
            slow.getOutputStream().write(request, 0, first);
            Thread.sleep(pauseMs);
            slow.getOutputStream().write(request, first, request.length - first);
            return read(slow).reply;
        }
    }

    /** Calls a method of gRPC. */
    Reply call(String method, byte[] message, Map<String, String> headers, Optional<Duration> deadline) {
        Metadata metadata = new Metadata();
        headers.forEach((name, value) -> metadata.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value));
        CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(
                deadline.orElse(CALL_LIMIT).toNanos(), TimeUnit.NANOSECONDS);
        try {
            byte[] answer = ClientCalls.blockingUnaryCall(
                    ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(metadata)),
                    RawMessages.method(method),
                    options,
                    message);
            return new Reply(Reply.OK, ByteBuffer.wrap(answer));
        } catch (StatusRuntimeException e) {
            return new Reply(status(e), ByteBuffer.wrap(e.toString().getBytes(StandardCharsets.UTF_8)));
        }
    }

    /** Calls a method and cancels it at once, or a little later. */
    void cancel(String method, byte[] message, int waitMs) throws InterruptedException {
        MethodDescriptor<byte[], byte[]> descriptor = RawMessages.method(method);
        ClientCall<byte[], byte[]> call = channel.newCall(descriptor, CallOptions.DEFAULT);
        call.start(new ClientCall.Listener<>() {}, new Metadata());
        call.sendMessage(message);
        call.halfClose();
        call.request(1);
        Thread.sleep(waitMs);
        call.cancel("no longer wanted", null);
    }

    @Override
    public void close() throws IOException {
        channel.shutdownNow();
        if (socket != null) {
            socket.close();
        }
    }

    private static int status(StatusRuntimeException e) {
        return switch (e.getStatus().getCode()) {
            case INVALID_ARGUMENT -> 422;
            case NOT_FOUND -> 404;
            case RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED -> Reply.REFUSED;
            case UNAVAILABLE -> 503;
            default -> 500;
        };
    }

    private Socket connect() throws IOException {
        Socket made = new Socket(InetAddress.getByName(http.getHost()), http.getPort());
        made.setTcpNoDelay(true);
        made.setSoTimeout(READ_LIMIT_MS);
        return made;
    }

    private Received read(Socket from) throws IOException {
        HttpResponse response = new HttpResponse();
        InputStream in = from.getInputStream();
        while (true) {
            int count = in.read(buffer);
            if (count < 0) {
                throw new IOException("the server closed the connection without an answer");
            }
            response.add(ByteBuffer.wrap(buffer, 0, count));
            byte[] body = response.body();
            if (body != null) {
                return new Received(new Reply(response.status(), ByteBuffer.wrap(body)), response.close());
            }
        }
    }
}
