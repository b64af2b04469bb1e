package io.gatun.grpc;

import io.gatun.service.Caller;
import io.grpc.Context;
import org.jspecify.annotations.Nullable;

/** Whoever waits for a call, or for one message of a stream: gone when its context is cancelled. Used by one thread. */
final class ContextCaller implements Caller {
    private final Context context = Context.current();
    private Context.@Nullable CancellationListener listener;

    @Override
    public void whenGone(Runnable action) {
        isAnswered();
        Context.CancellationListener added = cancelled -> action.run();
        listener = added;
        context.addListener(added, Runnable::run);
    }

    @Override
    public void isAnswered() {
        if (listener != null) {
            context.removeListener(listener);
            listener = null;
        }
    }
}
