package io.gatun.grpc;

import com.google.protobuf.MessageLite;
import io.gatun.grpc.inference.GRPCInferenceServiceGrpc;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * Takes the calls that are work, or refuses them: while the server drains, when the messages in flight are too many
 * bytes, when a client is too slow to send its one message. Thread-safe.
 */
final class Admission implements ServerInterceptor {
    private static final Set<String> WORK_SERVICES =
            Set.of("tei.v1.Embed", "tei.v1.Predict", "tei.v1.Rerank", "tei.v1.Tokenize");
    private static final Set<String> WORK_METHODS = Set.of(
            GRPCInferenceServiceGrpc.getModelInferMethod().getFullMethodName(),
            GRPCInferenceServiceGrpc.getModelStreamInferMethod().getFullMethodName());

    private final WorkInFlight inFlight;
    private final ScheduledExecutorService timer;
    private final Duration timeout;

    Admission(WorkInFlight inFlight, ScheduledExecutorService timer, Duration timeout) {
        this.inFlight = inFlight;
        this.timer = timer;
        this.timeout = timeout;
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        MethodDescriptor<Q, A> method = call.getMethodDescriptor();
        if (!WORK_METHODS.contains(method.getFullMethodName()) && !WORK_SERVICES.contains(method.getServiceName())) {
            return next.startCall(call, headers);
        }
        if (!inFlight.begin()) {
            call.close(Statuses.DRAINING, new Metadata());
            return new ServerCall.Listener<>() {};
        }
        AdmittedCall<Q, A> admitted = new AdmittedCall<>(call, inFlight);
        admitted.isBounded();
        try {
            return new Admitted<>(next.startCall(admitted, headers), admitted, unsent(admitted));
        } catch (Throwable e) {
            admitted.end();
            throw e;
        }
    }

    /** Whoever holds a stream open may, but a message is not sent for longer than a call may take. */
    private ScheduledFuture<?> unsent(AdmittedCall<?, ?> call) {
        Status late =
                Status.DEADLINE_EXCEEDED.withDescription("The request was not sent in " + timeout.toSeconds() + " s.");
        return timer.schedule(() -> call.close(late, new Metadata()), timeout.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static final class Admitted<Q> extends SimpleForwardingServerCallListener<Q> {
        private final AdmittedCall<Q, ?> call;
        private final ScheduledFuture<?> unsent;

        Admitted(ServerCall.Listener<Q> listener, AdmittedCall<Q, ?> call, ScheduledFuture<?> unsent) {
            super(listener);
            this.call = call;
            this.unsent = unsent;
        }

        @Override
        public void onMessage(Q message) {
            unsent.cancel(false);
            if (call.take(((MessageLite) message).getSerializedSize())) {
                super.onMessage(message);
            }
        }

        @Override
        public void onCancel() {
            unsent.cancel(false);
            call.end();
            super.onCancel();
        }

        @Override
        public void onComplete() {
            unsent.cancel(false);
            call.end();
            super.onComplete();
        }
    }
}
