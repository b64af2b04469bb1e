package io.gatun.grpc;

import io.gatun.telemetry.Door;
import io.gatun.telemetry.Telemetry;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.Optional;

/** Tells of each call when it has ended. Thread-safe. */
record Observing(Telemetry telemetry) implements ServerInterceptor {
    private static final long UNKNOWN = -1;

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        // A method that is none of ours is named as its client likes.
        boolean ours = call.getMethodDescriptor().getSchemaDescriptor() != null;
        Telemetry.Observation observation = telemetry.begin(
                Door.GRPC,
                "",
                ours ? call.getMethodDescriptor().getFullMethodName() : "",
                name -> Optional.ofNullable(headers.get(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER))),
                System.nanoTime());
        Observed<Q, A> observed = new Observed<>(call, observation, Incoming.current());
        return new Ending<>(next.startCall(observed, headers), observed);
    }

    private static final class Observed<Q, A> extends SimpleForwardingServerCall<Q, A> {
        private final Telemetry.Observation observation;
        private final Incoming incoming;
        private volatile Status.Code status = Status.Code.UNKNOWN;

        Observed(ServerCall<Q, A> call, Telemetry.Observation observation, Incoming incoming) {
            super(call);
            this.observation = observation;
            this.incoming = incoming;
        }

        @Override
        public void close(Status closed, Metadata trailers) {
            status = closed.getCode();
            super.close(closed, trailers);
        }

        void ends(Status.Code code) {
            observation.answered(code.name(), incoming.requestId(), incoming.onlyCall(), UNKNOWN, UNKNOWN);
        }
    }

    /** gRPC calls one of the two, once. */
    private static final class Ending<Q> extends SimpleForwardingServerCallListener<Q> {
        private final Observed<Q, ?> call;

        Ending(ServerCall.Listener<Q> listener, Observed<Q, ?> call) {
            super(listener);
            this.call = call;
        }

        @Override
        public void onComplete() {
            try {
                super.onComplete();
            } finally {
                call.ends(call.status);
            }
        }

        @Override
        public void onCancel() {
            try {
                super.onCancel();
            } finally {
                call.ends(Status.Code.CANCELLED);
            }
        }
    }
}
