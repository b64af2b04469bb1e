package io.gatun.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.batch.BatchListener;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Holds a lane at each batch until it is opened, and counts the texts that reach the kernel. */
final class Gate implements BatchListener {
    final AtomicInteger texts = new AtomicInteger();
    private final Semaphore taken = new Semaphore(0);
    private final Semaphore passes = new Semaphore(0);

    @Override
    public void batchTaken(int sequences, int tokens) {
        texts.addAndGet(sequences);
        taken.release();
        passes.acquireUninterruptibly();
    }

    void awaitBatch() throws InterruptedException {
        assertThat(taken.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
    }

    void open() {
        passes.release(1_000_000);
    }
}
