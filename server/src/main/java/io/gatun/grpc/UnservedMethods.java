package io.gatun.grpc;

import io.grpc.HandlerRegistry;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerMethodDefinition;
import io.grpc.Status;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/** Answers the methods that clients of this field know and Gatun does not serve: UNIMPLEMENTED, with the reason. */
final class UnservedMethods extends HandlerRegistry {
    private static final String INFERENCE = "inference.GRPCInferenceService/";

    @Override
    public ServerMethodDefinition<?, ?> lookupMethod(String name, @Nullable String authority) {
        MethodDescriptor<byte[], byte[]> method = MethodDescriptor.<byte[], byte[]>newBuilder()
                .setType(MethodDescriptor.MethodType.UNKNOWN)
                .setFullMethodName(name)
                .setRequestMarshaller(Bytes.MARSHALLER)
                .setResponseMarshaller(Bytes.MARSHALLER)
                .build();
        return ServerMethodDefinition.create(method, (call, headers) -> {
            call.close(Status.UNIMPLEMENTED.withDescription(reason(name)), new Metadata());
            return new ServerCall.Listener<>() {};
        });
    }

    private static String reason(String name) {
        if (name.startsWith(INFERENCE) && name.contains("SharedMemory")) {
            return "Gatun shares no memory with its clients; send tensors in the request.";
        }
        if (name.equals(INFERENCE + "TraceSetting") || name.equals(INFERENCE + "LogSettings")) {
            return "Gatun's traces and logs are set where it is started, not by its clients.";
        }
        if (name.startsWith("tei.v1.Embed/EmbedSparse")) {
            return "No model here has sparse embeddings; ask tei.v1.Embed/Embed for dense ones.";
        }
        return "There is no method " + name.substring(0, Math.min(name.length(), 200))
                + "; server reflection lists those that there are.";
    }

    /** A message that nobody reads. */
    private enum Bytes implements MethodDescriptor.Marshaller<byte[]> {
        MARSHALLER;

        @Override
        public InputStream stream(byte[] value) {
            return InputStream.nullInputStream();
        }

        @Override
        public byte[] parse(InputStream stream) {
            try (stream) {
                return new byte[0];
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
