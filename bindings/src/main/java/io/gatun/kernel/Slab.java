package io.gatun.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
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

    private static final long HUGE_PAGE = 2 << 20;
    private static final int MADV_HUGEPAGE = 14;
    /** Linux only: elsewhere the number means something else. */
    private static final Optional<MethodHandle> ADVISE = System.getProperty("os.name")
                    .equals("Linux")
            ? Optional.of(libc(
                    "madvise",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT)))
            : Optional.empty();

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
    public static Slab allocate(long bytes) {
        return allocate(bytes, ALIGNMENT);
    }

    /**
     * Allocates a slab that will be filled to its end and then read again and again: in huge pages, where the system has
     * them to give. They come with the first byte that is written, 2 MiB at a time.
     *
     * @throws KernelException {@link KernelException.Status#MEMORY} when the system has none to give
     */
    static Slab allocateHuge(long bytes) {
        Slab slab = allocate(bytes, HUGE_PAGE);
        ADVISE.ifPresent(advise -> advise(advise, slab.segment));
        return slab;
    }

    @SuppressWarnings("MustBeClosedChecker") // the slab owns the arena and closes it
    private static Slab allocate(long bytes, long alignment) {
        if (bytes < 1 || bytes > Long.MAX_VALUE - alignment) {
            throw new IllegalArgumentException("a slab of " + bytes + " bytes");
        }
        MemorySegment address = alignedAlloc(alignment, Math.ceilDiv(bytes, alignment) * alignment);
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

    private static MemorySegment alignedAlloc(long alignment, long bytes) {
        try {
            return (MemorySegment) ALIGNED_ALLOC.invokeExact(alignment, bytes);
        } catch (Throwable e) {
            throw new AssertionError("aligned_alloc", e);
        }
    }

    /** A wish: what comes of it does not matter. */
    private static void advise(MethodHandle advise, MemorySegment segment) {
        try {
            int ignored = (int) advise.invokeExact(segment, segment.byteSize(), MADV_HUGEPAGE);
        } catch (Throwable e) {
            throw new AssertionError("madvise", e);
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
