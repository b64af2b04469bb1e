package io.gatun.service;

import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Where a request's texts are tokenized. The library is native code, which holds the carrier of a virtual thread: short
 * texts are done before anyone could notice, and long ones go to a few platform threads, so that a request of megabytes
 * stops no other. Thread-safe.
 */
final class Tokenization implements AutoCloseable {
    /** About a millisecond's work. */
    private static final int SHORT_CHARACTERS = 4096;

    private static final int WAITING = 64;

    private final ThreadPoolExecutor longTexts;
    private final Duration timeout;

    /** {@code timeout}: a request that is not tokenized by then is given up. */
    Tokenization(Duration timeout) {
        int threads = Runtime.getRuntime().availableProcessors();
        this.timeout = timeout;
        longTexts = new ThreadPoolExecutor(
                threads,
                threads,
                0,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(WAITING),
                Thread.ofPlatform().daemon().name("gatun-tokenizer-", 0).factory());
    }

    /**
     * Runs the work of a request that tokenizes so many characters.
     *
     * @throws RequestException when too many long texts wait already, or the time is over
     * @throws CallerGoneException when the caller left meanwhile
     */
    <T> T run(long characters, Caller caller, Callable<T> work) throws InterruptedException {
        try {
            return characters <= SHORT_CHARACTERS ? work.call() : await(longTexts.submit(work), caller);
        } catch (RejectedExecutionException e) {
            throw overloaded("Too many long texts wait to be tokenized");
        } catch (ExecutionException e) {
            throw unchecked(e.getCause());
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            throw unchecked(e);
        }
    }

    private <T> T await(Future<T> result, Caller caller) throws InterruptedException, ExecutionException {
        caller.whenGone(() -> result.cancel(false));
        try {
            return result.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            result.cancel(false);
            throw overloaded("The text was not tokenized in " + timeout.toSeconds() + " s");
        } catch (CancellationException e) {
            throw new CallerGoneException();
        } finally {
            caller.isAnswered();
        }
    }

    private static RequestException overloaded(String what) {
        return RequestException.overloaded(what + "; send shorter ones, or try again in 1 s.", 1);
    }

    private static RuntimeException unchecked(@Nullable Throwable failure) {
        if (failure instanceof Error error) {
            throw error;
        }
        return failure instanceof RuntimeException e ? e : new IllegalStateException(failure);
    }

    @Override
    public void close() {
        longTexts.shutdownNow();
    }
}
