package io.gatun.http;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * Where a request's texts are tokenized. The library is native code, which holds the carrier of a virtual thread: short
 * texts are done before anyone could notice, and long ones go to a few platform threads, so that a request of megabytes
 * stops no other. Thread-safe.
 */
final class Tokenization implements AutoCloseable {
    /** About a millisecond's work. */
    private static final int SHORT_CHARACTERS = 4096;

    private final ExecutorService longTexts = Executors.newFixedThreadPool(
            Runtime.getRuntime().availableProcessors(),
            Thread.ofPlatform().daemon().name("gatun-tokenizer-", 0).factory());

    /**
     * Runs the work of a request that tokenizes so many characters.
     *
     * @throws InterruptedException when the server ends
     */
    <T> T run(long characters, Callable<T> work) throws InterruptedException {
        try {
            return characters <= SHORT_CHARACTERS
                    ? work.call()
                    : longTexts.submit(work).get();
        } catch (ExecutionException e) {
            throw unchecked(e.getCause());
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            throw unchecked(e);
        }
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
