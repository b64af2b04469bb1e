package io.gatun.bench.peers;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Batches by a timer: a text waits for others until a window has passed since the first or the batch is full, then all
 * are padded to the longest and run together.
 */
final class WindowBatcher implements Predictor {
    private final OnnxModel model;
    private final int maxTexts;
    private final long windowNanos;
    private final BlockingQueue<Waiting> queue;
    private final Thread runner;

    /** A text that waits for its answer. */
    private static final class Waiting extends CompletableFuture<float[]> {
        private final int[] ids;

        Waiting(int[] ids) {
            this.ids = ids;
        }
    }

    /**
     * Starts the thread that calls the session.
     *
     * @param maxTexts of one batch
     * @param maxWaiting texts; further ones are rejected
     */
    WindowBatcher(OnnxModel model, int maxTexts, Duration window, int maxWaiting) {
        this.model = model;
        this.maxTexts = maxTexts;
        this.windowNanos = window.toNanos();
        this.queue = new ArrayBlockingQueue<>(maxWaiting);
        this.runner = Thread.ofPlatform().daemon().name("batcher").start(this::runAll);
    }

    @Override
    public CompletableFuture<float[]> predict(int[] ids) {
        Waiting waiting = new Waiting(ids);
        if (!queue.offer(waiting)) {
            throw new RejectedExecutionException("too many texts wait");
        }
        return waiting;
    }

    private void runAll() {
        try {
            while (true) {
                run(nextBatch());
            }
        } catch (InterruptedException e) {
            // Closed.
        }
    }

    private List<Waiting> nextBatch() throws InterruptedException {
        List<Waiting> batch = new ArrayList<>(maxTexts);
        batch.add(queue.take());
        long end = System.nanoTime() + windowNanos;
        while (batch.size() < maxTexts) {
            Waiting next = queue.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
            if (next == null) {
                break;
            }
            batch.add(next);
        }
        return batch;
    }

    private void run(List<Waiting> batch) {
        try {
            float[][] logits =
                    model.logits(batch.stream().map(waiting -> waiting.ids).toList());
            for (int i = 0; i < logits.length; i++) {
                batch.get(i).complete(logits[i]);
            }
        } catch (PeersException e) {
            batch.forEach(waiting -> waiting.completeExceptionally(e));
        }
    }

    @Override
    public void close() {
        runner.interrupt();
    }
}
