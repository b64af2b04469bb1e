package io.gatun.grpc;

import io.grpc.Context;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A stream whose messages are answered side by side, so that they fill batches, and in order. So many are in flight at a
 * time; the next one is read when an answer has left, so that a client that does not read holds no lane and no more
 * memory than that. The first failure ends the stream and drops what is in flight. Thread-safe.
 */
final class OrderedStream<Q, A> implements StreamObserver<Q> {
    /** Answers one message, on a virtual thread of its own. */
    @FunctionalInterface
    interface Work<Q, A> {
        A answer(Q message) throws Exception;
    }

    private final ServerCallStreamObserver<A> answers;
    private final WorkInFlight inFlight;
    private final Work<Q, A> work;
    /** Of the messages in flight; cancelled when nobody waits for them any more. */
    private final Context.CancellableContext context = Context.current().withCancellation();

    private final ArrayDeque<CompletableFuture<A>> waiting = new ArrayDeque<>();
    private final Runnable drainAction = this::drain;
    private boolean asked;
    private boolean draining;
    private boolean ended;

    private OrderedStream(ServerCallStreamObserver<A> answers, WorkInFlight inFlight, Work<Q, A> work) {
        this.answers = answers;
        this.inFlight = inFlight;
        this.work = work;
    }

    /**
     * Begins a stream, as a service's method must on its call's thread.
     *
     * @param window messages in flight at a time
     */
    static <Q, A> StreamObserver<Q> open(
            StreamObserver<A> answers, int window, WorkInFlight inFlight, Work<Q, A> work) {
        ServerCallStreamObserver<A> call = (ServerCallStreamObserver<A>) answers;
        OrderedStream<Q, A> stream = new OrderedStream<>(call, inFlight, work);
        call.disableAutoRequest();
        call.setOnReadyHandler(stream::deliver);
        call.setOnCancelHandler(() -> stream.end(null));
        inFlight.whenDraining(stream.drainAction);
        call.request(window);
        return stream;
    }

    @Override
    public void onNext(Q message) {
        CompletableFuture<A> answer = new CompletableFuture<>();
        synchronized (this) {
            if (ended || draining) {
                return;
            }
            waiting.add(answer);
        }
        Thread.ofVirtual().name("gatun-grpc-message").start(context.wrap(() -> {
            try {
                answer.complete(work.answer(message));
            } catch (Throwable e) {
                answer.completeExceptionally(e);
            }
            deliver();
        }));
    }

    @Override
    public void onCompleted() {
        synchronized (this) {
            asked = true;
        }
        deliver();
    }

    @Override
    public void onError(Throwable e) {
        end(null);
    }

    private void drain() {
        synchronized (this) {
            draining = true;
        }
        deliver();
    }

    private synchronized void deliver() {
        while (!ended
                && answers.isReady()
                && !waiting.isEmpty()
                && waiting.element().isDone()) {
            CompletableFuture<A> answer = waiting.remove();
            if (answer.isCompletedExceptionally()) {
                end(() -> answers.onError(Statuses.of(answer.exceptionNow())));
            } else {
                answers.onNext(answer.resultNow());
                answers.request(1);
            }
        }
        if (waiting.isEmpty() && asked) {
            end(answers::onCompleted);
        } else if (waiting.isEmpty() && draining) {
            end(() -> answers.onError(Statuses.DRAINING.asRuntimeException()));
        }
    }

    /** {@code last} tells the client, unless it has left. */
    private synchronized void end(@Nullable Runnable last) {
        if (!ended) {
            ended = true;
            waiting.clear();
            inFlight.forget(drainAction);
            if (last != null) {
                last.run();
            }
            context.cancel(null);
        }
    }
}
