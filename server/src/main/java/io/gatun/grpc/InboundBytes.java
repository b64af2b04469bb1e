package io.gatun.grpc;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;

/**
 * The bytes of messages that a client has begun to send and not ended: counted as in flight as they come, so that many
 * slow clients cannot fill the memory with halves. One a call. Thread-safe.
 */
final class InboundBytes extends ServerStreamTracer {
    private static final Context.Key<InboundBytes> KEY = Context.key("io.gatun.grpc.inbound-bytes");

    private final WorkInFlight inFlight;
    private long held;
    private boolean closed;
    private Runnable refuse = () -> {};

    private InboundBytes(WorkInFlight inFlight) {
        this.inFlight = inFlight;
    }

    static ServerStreamTracer.Factory factory(WorkInFlight inFlight) {
        return new Factory() {
            @Override
            public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
                return new InboundBytes(inFlight);
            }
        };
    }

    /** Of the call whose thread this is. */
    static InboundBytes current() {
        InboundBytes current = KEY.get();
        if (current == null) {
            throw new IllegalStateException("no call has begun");
        }
        return current;
    }

    /** {@code action} runs when too much is in flight for more of the call's bytes. */
    synchronized void whenTooMany(Runnable action) {
        refuse = action;
    }

    /** A message has come whole, and is counted as such from now on. */
    synchronized void whole(long size) {
        long part = Math.min(held, size);
        held -= part;
        inFlight.release(part);
    }

    @Override
    public Context filterContext(Context context) {
        return context.withValue(KEY, this);
    }

    @Override
    public void inboundWireSize(long bytes) {
        Runnable refusal;
        synchronized (this) {
            if (closed) {
                return;
            }
            if (inFlight.hold(bytes)) {
                held += bytes;
                return;
            }
            refusal = refuse;
        }
        refusal.run();
    }

    @Override
    public synchronized void streamClosed(Status status) {
        closed = true;
        inFlight.release(held);
        held = 0;
    }
}
