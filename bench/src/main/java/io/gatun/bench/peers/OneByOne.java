package io.gatun.bench.peers;

import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** One request, one run. */
final class OneByOne implements Predictor {
    private final OnnxModel model;
    private final ThreadPoolExecutor runners;

    /**
     * Starts the threads that call the session.
     *
     * @param runs that may go on at a time
     * @param maxWaiting texts; further ones are rejected
     */
    OneByOne(OnnxModel model, int runs, int maxWaiting) {
        this.model = model;
        this.runners = new ThreadPoolExecutor(
                runs,
                runs,
                0,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(maxWaiting),
                Thread.ofPlatform().daemon().name("run-", 0).factory());
    }

    @Override
    public CompletableFuture<float[]> predict(int[] ids) {
        return CompletableFuture.supplyAsync(() -> model.logits(List.of(ids))[0], runners);
    }

    @Override
    public void close() {
        runners.shutdownNow();
    }
}
