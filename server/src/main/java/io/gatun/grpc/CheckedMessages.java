package io.gatun.grpc;

import com.google.protobuf.MessageLite;
import io.grpc.BindableService;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.PrototypeMarshaller;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.InputStream;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Tells clients what is wrong with messages that cannot be read: grpc-java would answer UNKNOWN, and log an error of the
 * server's for each. Thread-safe.
 */
final class CheckedMessages implements ServerInterceptor {
    private CheckedMessages() {}

    static ServerServiceDefinition of(BindableService service) {
        ServerServiceDefinition unchecked = service.bindService();
        List<ServerMethodDefinition<?, ?>> methods = unchecked.getMethods().stream()
                .<ServerMethodDefinition<?, ?>>map(CheckedMessages::checked)
                .toList();
        ServiceDescriptor.Builder descriptor = ServiceDescriptor.newBuilder(
                        unchecked.getServiceDescriptor().getName())
                .setSchemaDescriptor(unchecked.getServiceDescriptor().getSchemaDescriptor());
        methods.forEach(method -> descriptor.addMethod(method.getMethodDescriptor()));
        ServerServiceDefinition.Builder definition = ServerServiceDefinition.builder(descriptor.build());
        methods.forEach(definition::addMethod);
        return ServerInterceptors.intercept(definition.build(), new CheckedMessages());
    }

    private static <Q, A> ServerMethodDefinition<Q, A> checked(ServerMethodDefinition<Q, A> method) {
        MethodDescriptor<Q, A> descriptor = method.getMethodDescriptor();
        PrototypeMarshaller<Q> requests = (PrototypeMarshaller<Q>) descriptor.getRequestMarshaller();
        return ServerMethodDefinition.create(
                descriptor.toBuilder(new Checked<>(requests), descriptor.getResponseMarshaller())
                        .build(),
                method.getServerCallHandler());
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        Checked<Q> messages = (Checked<Q>) call.getMethodDescriptor().getRequestMarshaller();
        return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
            private boolean refused;

            @Override
            public void onMessage(Q message) {
                Status problem = messages.problem(message);
                if (!refused && problem == null) {
                    super.onMessage(message);
                } else if (!refused && problem != null) {
                    refused = true;
                    call.close(problem, new Metadata());
                }
            }

            @Override
            public void onHalfClose() {
                if (!refused) {
                    super.onHalfClose();
                }
            }
        };
    }

    /** Reads a message or, where it cannot, gives one of two that stand for the reason. */
    private static final class Checked<Q> implements PrototypeMarshaller<Q> {
        private final PrototypeMarshaller<Q> marshaller;
        private final Q malformed;
        private final Q tooLarge;

        Checked(PrototypeMarshaller<Q> marshaller) {
            this.marshaller = marshaller;
            this.malformed = empty();
            this.tooLarge = empty();
        }

        private Q empty() {
            MessageLite prototype = (MessageLite) Objects.requireNonNull(getMessagePrototype());
            return getMessageClass().cast(prototype.newBuilderForType().build());
        }

        @SuppressWarnings("ReferenceEquality") // an empty message of a client's is none of the two
        @Nullable
        Status problem(Q message) {
            if (message == malformed) {
                return Status.INVALID_ARGUMENT.withDescription(
                        "The message is not " + getMessageClass().getSimpleName() + " in protobuf's encoding.");
            }
            return message == tooLarge
                    ? Status.RESOURCE_EXHAUSTED.withDescription("The message, uncompressed, is over the limit.")
                    : null;
        }

        @Override
        public Q parse(InputStream bytes) {
            try {
                return marshaller.parse(bytes);
            } catch (StatusRuntimeException e) {
                return e.getStatus().getCode() == Status.Code.RESOURCE_EXHAUSTED ? tooLarge : malformed;
            }
        }

        @Override
        public InputStream stream(Q message) {
            return marshaller.stream(message);
        }

        @Override
        public Class<Q> getMessageClass() {
            return marshaller.getMessageClass();
        }

        @Override
        public @Nullable Q getMessagePrototype() {
            return marshaller.getMessagePrototype();
        }
    }
}
