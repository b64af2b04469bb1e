package io.gatun.bench.load;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/** Unary gRPC calls, in turns over a few connections, with messages that were made beforehand. */
final class GrpcClient implements Client {
    /** As many as there may be clients that each keep one; the server bounds the calls of each. */
    private static final int CHANNELS = 8;

    private static final ByteBuffer NO_BODY = ByteBuffer.allocate(0);

    private final MethodDescriptor<byte[], byte[]> method;
    private final List<byte[]> requests;
    private final long timeoutNanos;
    private final List<ManagedChannel> channels;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger outstanding = new AtomicInteger();

    private GrpcClient(
            MethodDescriptor<byte[], byte[]> method,
            List<byte[]> requests,
            long timeoutNanos,
            List<ManagedChannel> channels) {
        this.method = method;
        this.requests = requests;
        this.timeoutNanos = timeoutNanos;
        this.channels = channels;
    }

    /**
     * A client that has no connection yet.
     *
     * @param method as service/name
     * @param requests messages, by text
     * @param timeout what is not answered so long after its intended time is cancelled
     */
    static GrpcClient of(URI server, String method, List<byte[]> requests, int connections, Duration timeout) {
        List<ManagedChannel> channels = IntStream.range(0, Math.min(CHANNELS, connections))
                .<ManagedChannel>mapToObj(i -> NettyChannelBuilder.forAddress(server.getHost(), server.getPort())
                        .usePlaintext()
                        .directExecutor()
                        .build())
                .toList();
        return new GrpcClient(RawMessages.method(method), requests, timeout.toNanos(), channels);
    }

    @Override
    public void send(int text, long intended, Consumer<Answer> heard) {
        outstanding.incrementAndGet();
        long rest = Math.max(0, intended + timeoutNanos - System.nanoTime());
        ManagedChannel channel = channels.get(Math.floorMod(next.getAndIncrement(), channels.size()));
        ClientCall<byte[], byte[]> call =
                channel.newCall(method, CallOptions.DEFAULT.withDeadlineAfter(rest, TimeUnit.NANOSECONDS));
        call.start(
                new ClientCall.Listener<>() {
                    private ByteBuffer body = NO_BODY;

                    @Override
                    public void onMessage(byte[] message) {
                        body = ByteBuffer.wrap(message);
                    }

                    @Override
                    public void onClose(Status status, Metadata trailers) {
                        Outcome outcome = Outcome.ofGrpc(status.getCode());
                        heard.accept(new Answer(text, intended, System.nanoTime(), outcome, body));
                        outstanding.decrementAndGet();
                    }
                },
                new Metadata());
        call.sendMessage(requests.get(text));
        call.halfClose();
        call.request(1);
    }

    @Override
    public int outstanding() {
        return outstanding.get();
    }

    @Override
    public void close() {
        channels.forEach(ManagedChannel::shutdownNow);
    }
}
