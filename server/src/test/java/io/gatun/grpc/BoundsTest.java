package io.gatun.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.gatun.grpc.tei.PredictGrpc;
import io.gatun.grpc.tei.PredictRequest;
import io.gatun.grpc.tei.PredictResponse;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is too much is refused, and others are answered meanwhile. */
@Timeout(120)
final class BoundsTest {
    private final Gate gate = new Gate();
    private final GrpcSettings settings = new GrpcSettings(
            "127.0.0.1",
            0,
            64 << 10,
            100 << 10,
            4 << 10,
            8,
            100,
            Duration.ofSeconds(6),
            Duration.ofSeconds(10),
            Duration.ofSeconds(2));
    private final RunningGrpcServer running = new RunningGrpcServer(settings, Optional.of(gate));
    private final PredictGrpc.PredictBlockingStub stub = PredictGrpc.newBlockingStub(running.channel);

    @AfterEach
    void stop() {
        gate.open();
        running.close();
    }

    private void othersAreAnswered() {
        assertThat(stub.predict(request("a day")).getPredictionsList()).isNotEmpty();
    }

    @Test
    void aMessageOverTheLimitIsRefusedAtOnce() {
        gate.open();
        refused(Status.Code.RESOURCE_EXHAUSTED, () -> stub.predict(request("a".repeat(65 << 10))));
        refused(
                Status.Code.RESOURCE_EXHAUSTED,
                () -> stub.withCompression("gzip").predict(request("a".repeat(1 << 20))));
        othersAreAnswered();
    }

    @ParameterizedTest
    @ValueSource(strings = {"tei.v1.Predict/Predict", "grpc.health.v1.Health/Check"})
    void bytesThatAreNoMessageAreRefusedAndNotLogged(String method) {
        gate.open();
        List<String> logged = new CopyOnWriteArrayList<>();
        Handler log = new Handler() {
            @Override
            public void publish(LogRecord line) {
                logged.add(line.getLoggerName() + ": " + line.getMessage());
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger.getLogger("").addHandler(log);
        try {
            // A text, as field 1, of more bytes than follow.
            refused(
                    Status.Code.INVALID_ARGUMENT,
                    () -> ClientCalls.blockingUnaryCall(
                            running.channel,
                            MethodDescriptor.<byte[], byte[]>newBuilder()
                                    .setType(MethodDescriptor.MethodType.UNARY)
                                    .setFullMethodName(method)
                                    .setRequestMarshaller(new RawBytes())
                                    .setResponseMarshaller(new RawBytes())
                                    .build(),
                            CallOptions.DEFAULT,
                            new byte[] {10, 100, 'a'}));
            othersAreAnswered();
        } finally {
            Logger.getLogger("").removeHandler(log);
        }
        assertThat(logged).isEmpty();
    }

    private static final class RawBytes implements MethodDescriptor.Marshaller<byte[]> {
        @Override
        public InputStream stream(byte[] message) {
            return new ByteArrayInputStream(message);
        }

        @Override
        public byte[] parse(InputStream message) {
            return new byte[0];
        }
    }

    @Test
    void headersOverTheLimitAreRefused() {
        gate.open();
        assertThatThrownBy(() -> RunningGrpcServer.with(stub, "x-long", "a".repeat(5 << 10))
                        .predict(request("a day")))
                .isInstanceOf(StatusRuntimeException.class);
        othersAreAnswered();
    }

    @Test
    void messagesThatWaitAreBoundedTogether() throws Exception {
        PredictGrpc.PredictStub async = PredictGrpc.newStub(running.channel);
        Answers<PredictResponse> first = new Answers<>();
        async.predict(request("a day"), first);
        gate.awaitBatch();
        Answers<PredictResponse> second = new Answers<>();
        async.predict(truncated("a".repeat(60 << 10)), second);
        await().until(() -> running.lanes().queuedJobs() == 1);
        assertThatThrownBy(() -> stub.predict(truncated("a".repeat(60 << 10))))
                .isInstanceOfSatisfying(StatusRuntimeException.class, e -> {
                    assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
                    assertThat(Objects.requireNonNull(e.getTrailers()).get(RunningGrpcServer.key("retry-after")))
                            .isEqualTo("1");
                });
        gate.open();
        assertThat(first.whole()).hasSize(1);
        assertThat(second.whole()).hasSize(1);
        await().until(() -> running.server.bytesInFlight() == 0);
    }

    @Test
    void halvesOfMessagesCountAsWell() throws Exception {
        gate.open();
        List<Socket> slow = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            slow.add(halfOfAMessage(40 << 10));
        }
        // The third is refused by what it sends beyond the bound, and no other is.
        await().until(() -> running.server.callsInFlight() == 2);
        assertThat(running.server.bytesInFlight()).isBetween(80L << 10, 100L << 10);
        othersAreAnswered();
        for (Socket socket : slow) {
            socket.close();
        }
        await().until(() -> running.server.callsInFlight() == 0);
        assertThat(running.server.bytesInFlight()).isZero();
    }

    /** A connection with a call that has sent so many bytes of a message that is one longer. */
    private Socket halfOfAMessage(int length) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), running.server.port());
        OutputStream out = socket.getOutputStream();
        out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        out.write(frame(4, 0, 0, new byte[0]));
        ByteArrayOutputStream headers = new ByteArrayOutputStream();
        for (String header : List.of(
                ":method POST",
                ":scheme http",
                ":path /tei.v1.Predict/Predict",
                "content-type application/grpc",
                "te trailers")) {
            int space = header.indexOf(' ');
            headers.write(0); // as it is, not indexed
            for (String part : List.of(header.substring(0, space), header.substring(space + 1))) {
                headers.write(part.length());
                headers.writeBytes(part.getBytes(StandardCharsets.US_ASCII));
            }
        }
        out.write(frame(1, 4, 1, headers.toByteArray()));
        out.write(frame(0, 0, 1, ByteBuffer.allocate(5).putInt(1, length + 1).array()));
        for (int sent = 0; sent < length; sent += 1 << 10) {
            out.write(frame(0, 0, 1, new byte[1 << 10]));
        }
        out.flush();
        return socket;
    }

    private static byte[] frame(int type, int flags, int stream, byte[] payload) {
        return ByteBuffer.allocate(9 + payload.length)
                .put((byte) (payload.length >> 16))
                .putShort((short) payload.length)
                .put((byte) type)
                .put((byte) flags)
                .putInt(stream)
                .put(payload)
                .array();
    }

    @Test
    void whoSaysNothingMakesRoomForWhoDoes() throws Exception {
        gate.open();
        List<Socket> silent = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            silent.add(new Socket(InetAddress.getLoopbackAddress(), running.server.port()));
        }
        othersAreAnswered(); // on a connection that comes last
        for (Socket socket : silent.subList(0, 93)) {
            assertThat(isClosed(socket)).isTrue();
        }
        // The others are closed when they have not greeted in time.
        for (Socket socket : silent.subList(93, 100)) {
            assertThat(isClosed(socket)).isTrue();
        }
        othersAreAnswered();
    }

    @Test
    void connectionsAboveTheLimitAreClosedAtOnce() throws Exception {
        gate.open();
        List<Socket> greeted = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            greeted.add(halfOfAMessage(0));
        }
        await().until(() -> running.server.callsInFlight() == 8);
        try (Socket late = new Socket(InetAddress.getLoopbackAddress(), running.server.port())) {
            assertThat(closesWithin(late, 5_000)).isTrue();
        }
        assertThat(running.server.callsInFlight()).isEqualTo(8);
        for (Socket socket : greeted) {
            socket.close();
        }
        await().ignoreExceptions().untilAsserted(this::othersAreAnswered);
    }

    private static boolean isClosed(Socket socket) {
        return closesWithin(socket, 30_000);
    }

    /** Whether the server ends the connection by then; it may have sent its greeting before. */
    private static boolean closesWithin(Socket socket, int millis) {
        try {
            socket.setSoTimeout(millis);
            while (socket.getInputStream().read() >= 0) {
                // its settings
            }
            return true;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    @Test
    void aRequestThatIsNeverSentEnds() throws Exception {
        gate.open();
        ClientCall<PredictRequest, PredictResponse> call =
                running.channel.newCall(PredictGrpc.getPredictMethod(), CallOptions.DEFAULT);
        CompletableFuture<Status> end = new CompletableFuture<>();
        call.start(
                new ClientCall.Listener<>() {
                    @Override
                    public void onClose(Status status, Metadata trailers) {
                        end.complete(status);
                    }
                },
                new Metadata());
        call.request(1);
        othersAreAnswered();
        assertThat(end.get(30, TimeUnit.SECONDS).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        await().until(() -> running.server.callsInFlight() == 0);
    }

    private static void refused(Status.Code code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode()).isEqualTo(code));
    }

    private static PredictRequest request(String text) {
        return PredictRequest.newBuilder().setInputs(text).build();
    }

    private static PredictRequest truncated(String text) {
        return PredictRequest.newBuilder().setInputs(text).setTruncate(true).build();
    }
}
