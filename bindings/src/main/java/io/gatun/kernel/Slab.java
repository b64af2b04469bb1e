package io.gatun.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One block of native memory with one owner, aligned to {@value #ALIGNMENT} bytes, of undefined content.
 *
 * <p>It comes from the C library and not from {@link Arena#allocate}, which writes zeros over every page: a slab that
 * is sized for the largest batch costs no more resident memory than the batches that really come. Any thread may use
 * it; closing it while a native call holds it throws {@link IllegalStateException}.
 */
public final class Slab implements AutoCloseable {
    static final int ALIGNMENT = 64;

    private static final AtomicLong ALLOCATED = new AtomicLong();
    private static final MethodHandle ALIGNED_ALLOC = libc(
            "aligned_alloc", FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
    private static final MethodHandle FREE = libc("free", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));

    private final Arena arena;
    private final MemorySegment segment;
    private final AtomicBoolean closed = new AtomicBoolean();

    private Slab(Arena arena, MemorySegment segment) {
        this.arena = arena;
        this.segment = segment;
    }

    /**
     * Allocates a slab.
     *
     * @param bytes its size, at least 1
     * @throws KernelException {@link KernelException.Status#MEMORY} when the system has none to give
     */
    @SuppressWarnings("MustBeClosedChecker") // the slab owns the arena and closes it
    public static Slab allocate(long bytes) {
        if (bytes < 1 || bytes > Long.MAX_VALUE - ALIGNMENT) {
            throw new IllegalArgumentException("a slab of " + bytes + " bytes");
        }
        MemorySegment address = alignedAlloc(Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT);
        if (address.address() == 0) {
            throw new KernelException(
                    KernelException.Status.MEMORY, "The system has no " + bytes + " bytes of memory to give.");
        }
        Arena arena = Arena.ofShared();
        MemorySegment segment = address.reinterpret(bytes, arena, Slab::free);
        ALLOCATED.addAndGet(bytes);
        return new Slab(arena, segment);
    }

    /** The bytes of all slabs of this process that are open. */
    public static long allocatedBytes() {
        return ALLOCATED.get();
    }

    public MemorySegment segment() {
        return segment;
    }

    public long size() {
        return segment.byteSize();
    }

    /** Gives the memory back. A second call does nothing. */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        try {
            arena.close();
        } catch (IllegalStateException e) {
            closed.set(false); // a native call holds it: it can be closed later
            throw e;
        }
        ALLOCATED.addAndGet(-segment.byteSize());
    }

    private static MethodHandle libc(String name, FunctionDescriptor descriptor) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor);
    }

    private static MemorySegment alignedAlloc(long bytes) {
        try {
            return (MemorySegment) ALIGNED_ALLOC.invokeExact((long) ALIGNMENT, bytes);
        } catch (Throwable e) {
            throw new AssertionError("aligned_alloc", e);
        }
    }

    private static void free(MemorySegment address) {
        try {
            FREE.invokeExact(address);
        } catch (Throwable e) {
            throw new AssertionError("free", e);
        }
    }
}
