package io.gatun.kernel;

import io.gatun.kernel.generated.gatun_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** The weights of a model that is being opened, packed part by part by several threads. */
final class Packing {
    private final MemorySegment model;
    private final int parts;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    private Packing(MemorySegment model, int parts) {
        this.model = model;
        this.parts = parts;
    }

    /**
     * Packs every part, on the calling thread and on others that have ended when this returns or throws.
     *
     * @param threads in all; no more than there are parts are used
     */
    static void run(MemorySegment model, int parts, int threads) {
        Packing packing = new Packing(model, parts);
        List<Thread> others = new ArrayList<>();
        try {
            for (int i = 1; i < Math.min(threads, parts); i++) {
                others.add(Thread.ofPlatform().name("gatun-pack-" + i).start(packing::work));
            }
            packing.work();
        } catch (Throwable e) {
            packing.fail(e); // the system gives no thread: those that started must still end
        }
        joinAll(others);
        Throwable failure = packing.failure.get();
        if (failure != null) {
            throw failure instanceof KernelException e
                    ? e
                    : new KernelException(
                            KernelException.Status.INTERNAL, "The weights could not be packed: " + failure + ".");
        }
    }

    private void work() {
        try (Arena call = Arena.ofConfined()) {
            NativeError error = NativeError.allocate(call);
            for (int part = next.getAndIncrement(); part < parts; part = next.getAndIncrement()) {
                error.check(gatun_h.gt_model_pack(model, part, error.segment()));
            }
        } catch (Throwable e) {
            fail(e);
        }
    }

    /** Keeps the first failure and lets nobody begin another part. */
    private void fail(Throwable e) {
        failure.compareAndSet(null, e);
        next.set(parts);
    }

    /** The memory that they write may go when this returns, so that no interrupt ends the wait. */
    private static void joinAll(List<Thread> threads) {
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
