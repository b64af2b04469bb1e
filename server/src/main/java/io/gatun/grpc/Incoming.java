package io.gatun.grpc;

import io.gatun.service.Call;
import io.gatun.service.CallOptions;
import io.gatun.service.RequestId;
import io.gatun.service.Timings;
import io.gatun.telemetry.Tracing;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What a call's headers say, and what its answer's will. Used by the call's own threads, one at a time.
 */
final class Incoming {
    private static final Context.Key<Incoming> KEY = Context.key("io.gatun.grpc.incoming");
    private static final Metadata.Key<String> PRIORITY = key("x-priority");
    private static final Metadata.Key<String> REQUEST_ID = key("x-request-id");
    private static final Metadata.Key<String> TRACE_PARENT = key("traceparent");
    private static final Metadata.Key<String> MODEL = key("x-model");
    private static final Metadata.Key<String> HEAD = key("x-head");

    private final long start = System.nanoTime();
    private final @Nullable String priority;
    private final @Nullable String model;
    private final @Nullable String head;
    private final String requestId;
    private final boolean single;
    private final Metadata answer = new Metadata();
    private volatile @Nullable Call call;

    private Incoming(Metadata headers, boolean single) {
        this.priority = headers.get(PRIORITY);
        this.model = headers.get(MODEL);
        this.head = headers.get(HEAD);
        this.requestId = RequestId.of(
                Optional.ofNullable(headers.get(REQUEST_ID)),
                Optional.ofNullable(headers.get(TRACE_PARENT))
                        .map(Tracing::traceId)
                        .orElse(""));
        this.single = single;
    }

    /** Of the call, or the message of a stream, that this thread answers. */
    static Incoming current() {
        Incoming incoming = KEY.get();
        if (incoming == null) {
            throw new IllegalStateException("no call is being answered");
        }
        return incoming;
    }

    /** Reads each call's headers, and writes those of its answer. */
    static ServerInterceptor interceptor() {
        return new Headers();
    }

    /** The model that the headers name; text-embeddings-inference's messages have no place for it. */
    Optional<String> model() {
        return Optional.ofNullable(model);
    }

    /** The head that the headers name. */
    Optional<String> head() {
        return Optional.ofNullable(head);
    }

    /** A call of the services; of a stream, its time begins with the message. */
    Call call(UnaryOperator<CallOptions> own) {
        long now = System.nanoTime();
        long begin = single ? start : now;
        Optional<Duration> timeout = Optional.ofNullable(Context.current().getDeadline())
                .map(deadline -> deadline.timeRemaining(TimeUnit.NANOSECONDS) + now - begin)
                .map(nanos -> Duration.ofNanos(Math.max(0, nanos)));
        CallOptions options = new CallOptions(Optional.ofNullable(priority).map(CallOptions::priority), timeout);
        Call asked = new Call(new ContextCaller(), own.apply(options), begin);
        if (single) {
            call = asked;
        }
        return asked;
    }

    /** The call of the services, if there was one, and it was the only one. */
    @Nullable
    Call onlyCall() {
        return call;
    }

    /** As the client is told it. */
    String requestId() {
        return requestId;
    }

    /** The answer is there: its headers will tell where the time went. */
    void answered(Timings timings) {
        if (single) {
            timings.headers().forEach((name, value) -> answer.put(key(name), value));
        }
    }

    private static Metadata.Key<String> key(String name) {
        return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
    }

    private static final class Headers implements ServerInterceptor {
        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            MethodDescriptor.MethodType type = call.getMethodDescriptor().getType();
            Incoming incoming = new Incoming(headers, type.serverSendsOneMessage());
            return Contexts.interceptCall(
                    Context.current().withValue(KEY, incoming), new Answer<>(call, incoming), headers, next);
        }
    }

    private static final class Answer<Q, A> extends SimpleForwardingServerCall<Q, A> {
        private final Incoming incoming;
        private boolean headersSent;

        Answer(ServerCall<Q, A> call, Incoming incoming) {
            super(call);
            this.incoming = incoming;
        }

        @Override
        public void sendHeaders(Metadata headers) {
            headersSent = true;
            headers.put(REQUEST_ID, incoming.requestId);
            headers.merge(incoming.answer);
            super.sendHeaders(headers);
        }

        @Override
        public void close(Status status, Metadata trailers) {
            if (!headersSent) {
                trailers.put(REQUEST_ID, incoming.requestId);
            }
            super.close(status, trailers);
        }
    }
}
