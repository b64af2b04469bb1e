package io.gatun.grpc;

import io.gatun.service.Call;
import io.gatun.service.CallOptions;
import io.gatun.service.ErrorType;
import io.gatun.service.Problem;
import io.gatun.service.TextService;
import io.grpc.Context;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;

/** How every method is answered: from a call's message through the services to its answer or its error. Thread-safe. */
final class Answering {
    /** Messages of a stream in flight at a time: enough to fill a batch. */
    private static final int WINDOW = 64;

    private static final Duration BUSY = Duration.ofMillis(100);

    private final TextService texts;
    private final WorkInFlight inFlight;

    Answering(TextService texts, WorkInFlight inFlight) {
        this.texts = texts;
        this.inFlight = inFlight;
    }

    /** What the services are asked. */
    @FunctionalInterface
    interface Question<R> {
        R ask(Call call) throws InterruptedException;
    }

    /** What came back, with the call that knows where the time went. */
    record Reply<R>(R result, Call call) {}

    /** Asks for the call, or the message of a stream, that this thread answers. */
    <R> Reply<R> ask(Question<R> question) throws InterruptedException {
        return ask(question, options -> options);
    }

    /** {@code own}: what the message itself adds to the options of the call. */
    <R> Reply<R> ask(Question<R> question, UnaryOperator<CallOptions> own) throws InterruptedException {
        Incoming incoming = Incoming.current();
        Call call = incoming.call(own);
        R result = question.ask(call);
        texts.answered(call);
        incoming.answered(call.timings());
        return new Reply<>(result, call);
    }

    /** Answers a call that has one message with what the work gives, or tells how it failed. */
    <A> void one(StreamObserver<A> client, Callable<A> work) {
        mayLeave(client);
        end(client, work);
    }

    /** Without it, whoever answers a client that has left gets an exception. */
    static void mayLeave(StreamObserver<?> client) {
        ((ServerCallStreamObserver<?>) client).setOnCancelHandler(() -> {});
    }

    /** Ends a call with what the work gives, or tells how it failed. */
    <A> void end(StreamObserver<A> client, Callable<A> work) {
        A answer;
        try {
            answer = work.call();
        } catch (Throwable e) {
            Problem.of(e).ifPresent(texts::failed);
            client.onError(Statuses.of(e));
            return;
        }
        client.onNext(answer);
        client.onCompleted();
    }

    /** Answers each message of a stream, in order. */
    <Q, A> StreamObserver<Q> each(StreamObserver<A> client, OrderedStream.Work<Q, A> work) {
        return each(client, WINDOW, work);
    }

    /** {@code window}: messages in flight at a time, where answers are large. */
    <Q, A> StreamObserver<Q> each(StreamObserver<A> client, int window, OrderedStream.Work<Q, A> work) {
        return OrderedStream.open(client, window, inFlight, message -> {
            try {
                return patient(message, work);
            } catch (Throwable e) {
                Problem.of(e).ifPresent(texts::failed);
                throw e;
            }
        });
    }

    /**
     * Works again as long as the server is too busy: a stream's bound of messages in flight holds its client back, so that
     * it needs no refusals.
     */
    private <Q, A> A patient(Q message, OrderedStream.Work<Q, A> work) throws Exception {
        long start = System.nanoTime();
        while (true) {
            try {
                return work.answer(message);
            } catch (RuntimeException e) {
                Optional<Problem> problem = Problem.of(e);
                boolean busy = problem.isPresent() && problem.get().type() == ErrorType.OVERLOADED;
                boolean late =
                        System.nanoTime() - start > texts.limits().timeout().toNanos();
                if (!busy || late || Context.current().isCancelled()) {
                    throw e;
                }
            }
            Thread.sleep(BUSY);
        }
    }
}
