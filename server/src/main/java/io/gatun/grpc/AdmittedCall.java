package io.gatun.grpc;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.util.ArrayDeque;

/**
 * A call that counts as work in flight until it ends, with the messages that it holds. Several threads may close it; the
 * first one counts, and what is sent later goes nowhere.
 */
final class AdmittedCall<Q, A> extends SimpleForwardingServerCall<Q, A> {
    private final WorkInFlight inFlight;
    private final InboundBytes inbound = InboundBytes.current();
    /** Of the messages that were taken and are not answered. */
    private final ArrayDeque<Integer> sizes = new ArrayDeque<>();

    private boolean closed;
    private boolean ended;

    AdmittedCall(ServerCall<Q, A> call, WorkInFlight inFlight) {
        super(call);
        this.inFlight = inFlight;
    }

    /** From now on the call is closed when too much is in flight for what it sends. */
    void isBounded() {
        inbound.whenTooMany(this::refuse);
    }

    /** Counts a message in, or closes the call when too much is in flight. */
    synchronized boolean take(int size) {
        if (closed) {
            return false;
        }
        inbound.whole(size);
        if (!inFlight.hold(size)) {
            refuse();
            return false;
        }
        sizes.add(size);
        return true;
    }

    private void refuse() {
        close(
                Status.RESOURCE_EXHAUSTED.withDescription(
                        "The messages that wait for answers are too many bytes; try again in 1 s."),
                Statuses.retryAfter(1));
    }

    @Override
    public synchronized void sendHeaders(Metadata headers) {
        if (!closed) {
            super.sendHeaders(headers);
        }
    }

    @Override
    public synchronized void sendMessage(A answer) {
        if (!closed) {
            super.sendMessage(answer);
            if (getMethodDescriptor().getType() == MethodDescriptor.MethodType.BIDI_STREAMING && !sizes.isEmpty()) {
                inFlight.release(sizes.remove());
            }
        }
    }

    @Override
    public synchronized void close(Status status, Metadata trailers) {
        if (!closed) {
            closed = true;
            super.close(status, trailers);
        }
    }

    /** Nothing of it is left. */
    synchronized void end() {
        if (!ended) {
            ended = true;
            sizes.forEach(inFlight::release);
            sizes.clear();
            inFlight.end();
        }
    }
}
