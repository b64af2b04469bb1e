package io.gatun.bench.load;

import io.grpc.MethodDescriptor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** gRPC's messages as the bytes that they are. Thread-safe: it keeps nothing. */
public final class RawMessages implements MethodDescriptor.Marshaller<byte[]> {
    private RawMessages() {}

    /** A unary method, by its name as service/name. */
    public static MethodDescriptor<byte[], byte[]> method(String name) {
        RawMessages messages = new RawMessages();
        return MethodDescriptor.<byte[], byte[]>newBuilder()
                .setType(MethodDescriptor.MethodType.UNARY)
                .setFullMethodName(name)
                .setRequestMarshaller(messages)
                .setResponseMarshaller(messages)
                .build();
    }

    @Override
    public InputStream stream(byte[] message) {
        return new ByteArrayInputStream(message);
    }

    @Override
    public byte[] parse(InputStream stream) {
        try (stream) {
            return stream.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
