package io.gatun.grpc;

import io.gatun.edge.ApiKeys;
import io.gatun.grpc.inference.GRPCInferenceServiceGrpc;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.Optional;
import java.util.Set;

/**
 * Refuses the calls of those who show no key. Health and reflection stay open, as they do in text-embeddings-inference:
 * those who watch a server need no key of its users. Thread-safe.
 */
record KeyCheck(ApiKeys keys) implements ServerInterceptor {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    private static final Set<String> OPEN_SERVICES = Set.of(
            "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection");
    private static final Set<String> OPEN_METHODS = Set.of(
            GRPCInferenceServiceGrpc.getServerLiveMethod().getFullMethodName(),
            GRPCInferenceServiceGrpc.getServerReadyMethod().getFullMethodName());
    private static final Status UNAUTHENTICATED = Status.UNAUTHENTICATED.withDescription(
            "Send a key that this server knows, with the metadata authorization: Bearer KEY.");

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        MethodDescriptor<Q, A> method = call.getMethodDescriptor();
        if (OPEN_METHODS.contains(method.getFullMethodName())
                || OPEN_SERVICES.contains(method.getServiceName())
                || keys.allow(Optional.ofNullable(headers.get(AUTHORIZATION)))) {
            return next.startCall(call, headers);
        }
        call.close(UNAUTHENTICATED, new Metadata());
        return new ServerCall.Listener<>() {};
    }
}
