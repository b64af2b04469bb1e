package io.gatun.kernel;

import io.gatun.kernel.generated.gatun_h;
import io.gatun.kernel.generated.gt_head_info;
import io.gatun.kernel.generated.gt_model_info;
import io.gatun.kernel.generated.gt_model_params;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * A model whose weights are packed for the processor. Immutable and shared by any number of sessions and threads; it
 * owns its memory, needs its file no more, and its sessions must be closed before it.
 */
public final class Model implements AutoCloseable {
    /** Marks a closed model in {@link #sessions}. */
    private static final int CLOSED = -1;

    private final Slab memory;
    private final MemorySegment handle;
    private final Compute compute;
    private final ModelInfo info;
    private final List<HeadInfo> heads;
    private final int maskHeads; // a bit for each head that fills masks
    private final AtomicInteger sessions = new AtomicInteger();

    private Model(Slab memory, MemorySegment handle, Compute compute, ModelInfo info, List<HeadInfo> heads) {
        this.memory = memory;
        this.handle = handle;
        this.compute = compute;
        this.info = info;
        this.heads = heads;
        this.maskHeads = heads.stream()
                .filter(head -> head.rows() == HeadInfo.Rows.PER_MASK)
                .mapToInt(head -> 1 << head.index())
                .reduce(0, (a, b) -> a | b);
    }

    /**
     * Opens the model in {@code image}, whose every key, shape and bound is validated first, and packs its weights.
     *
     * @param image a whole GGUF file in native memory, at a multiple of {@value Slab#ALIGNMENT} bytes; the caller's, read
     *     until this call ends and never again
     * @param threads that pack, the calling one included; the others have ended when this call ends
     * @throws KernelException with one sentence that says what is wrong with the image, {@link
     *     KernelException.Status#UNSUPPORTED} where the processor cannot compute like that
     */
    public static Model open(MemorySegment image, Compute compute, int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("packing on " + threads + " threads");
        }
        Slab memory = null;
        MemorySegment handle = null;
        try (Arena call = Arena.ofConfined()) {
            NativeError error = NativeError.allocate(call);
            MemorySegment params = params(compute, call);
            MemorySegment sizes = measure(image, params, call, error);
            memory = Slab.allocateHuge(Math.max(1, gt_model_info.memory_bytes(sizes)));
            MemorySegment out = call.allocate(ValueLayout.ADDRESS);
            error.check(gatun_h.gt_model_open(
                    image, image.byteSize(), params, memory.segment(), memory.size(), out, error.segment()));
            handle = out.get(ValueLayout.ADDRESS, 0);
            Packing.run(handle, gt_model_info.part_count(sizes), threads);
            MemorySegment opened = handle;
            List<HeadInfo> heads = IntStream.range(0, gt_model_info.head_count(sizes))
                    .mapToObj(index -> head(opened, index, call, error))
                    .toList();
            return new Model(memory, handle, compute, info(sizes), heads);
        } catch (Throwable e) {
            if (handle != null) {
                gatun_h.gt_model_close(handle);
            }
            if (memory != null) {
                memory.close();
            }
            throw e;
        }
    }

    /**
     * Validates an image as {@link #open} does, and keeps nothing.
     *
     * @throws KernelException with one sentence that says what is wrong with the image
     */
    public static ModelInfo check(MemorySegment image, Compute compute) {
        try (Arena call = Arena.ofConfined()) {
            return info(measure(image, params(compute, call), call, NativeError.allocate(call)));
        }
    }

    public ModelInfo info() {
        return info;
    }

    /** The heads in the order of their bits; the first is the default. May be empty. */
    public List<HeadInfo> heads() {
        return heads;
    }

    /**
     * How many rows the heads that fill masks would answer a sequence with: its mask tokens, or none where {@code heads}
     * asks for no such head.
     *
     * @param heads a bit for each head that is wanted
     */
    public int masks(int[] tokenIds, int heads) {
        if ((heads & maskHeads) == 0) {
            return 0;
        }
        int mask = info.maskToken().orElseThrow();
        int masks = 0;
        for (int id : tokenIds) {
            masks += id == mask ? 1 : 0;
        }
        return masks;
    }

    public Compute compute() {
        return compute;
    }

    /** Native bytes that the model holds now; 0 once it is closed. */
    public long bytes() {
        return sessions.get() == CLOSED ? 0 : memory.size();
    }

    /**
     * Gives all native memory back. A second call does nothing.
     *
     * @throws IllegalStateException while a session is open
     */
    @Override
    public void close() {
        int open = sessions.compareAndExchange(0, CLOSED);
        if (open > 0) {
            throw new IllegalStateException("the model has " + open + " open sessions");
        }
        if (open == 0) {
            gatun_h.gt_model_close(handle);
            memory.close();
        }
    }

    /** The kernel's handle. */
    MemorySegment handle() {
        if (sessions.get() == CLOSED) {
            throw new IllegalStateException("the model is closed");
        }
        return handle;
    }

    void sessionOpens() {
        if (sessions.getAndUpdate(open -> open == CLOSED ? CLOSED : open + 1) == CLOSED) {
            throw new IllegalStateException("the model is closed");
        }
    }

    void sessionCloses() {
        sessions.decrementAndGet();
    }

    private static MemorySegment params(Compute compute, Arena call) {
        Kernel.load();
        MemorySegment params = gt_model_params.allocate(call);
        gt_model_params.struct_size(params, (int) gt_model_params.sizeof());
        gt_model_params.compute(params, compute.code());
        return params;
    }

    private static MemorySegment measure(MemorySegment image, MemorySegment params, Arena call, NativeError error) {
        MemorySegment sizes = gt_model_info.allocate(call);
        gt_model_info.struct_size(sizes, (int) gt_model_info.sizeof());
        error.check(gatun_h.gt_model_measure(image, image.byteSize(), params, sizes, error.segment()));
        return sizes;
    }

    private static ModelInfo info(MemorySegment sizes) {
        return new ModelInfo(
                gt_model_info.vocabulary_size(sizes),
                gt_model_info.context_length(sizes),
                gt_model_info.embedding_length(sizes),
                gt_model_info.layer_count(sizes),
                gt_model_info.attention_head_count(sizes),
                gt_model_info.feed_forward_length(sizes),
                gt_model_info.token_type_count(sizes),
                gt_model_info.mask_token(sizes) == gatun_h.GT_NO_TOKEN()
                        ? OptionalInt.empty()
                        : OptionalInt.of(gt_model_info.mask_token(sizes)));
    }

    private static HeadInfo.Rows rows(int task) {
        if (task == gatun_h.GT_TASK_TEXT_CLASSIFICATION()) {
            return HeadInfo.Rows.PER_TEXT;
        }
        return task == gatun_h.GT_TASK_FILL_MASK() ? HeadInfo.Rows.PER_MASK : HeadInfo.Rows.PER_TOKEN;
    }

    private static HeadInfo head(MemorySegment handle, int index, Arena call, NativeError error) {
        MemorySegment head = gt_head_info.allocate(call);
        gt_head_info.struct_size(head, (int) gt_head_info.sizeof());
        error.check(gatun_h.gt_model_head(handle, index, head, error.segment()));
        return new HeadInfo(
                index,
                gt_head_info.name(head).getString(0),
                rows(gt_head_info.task(head)),
                gt_head_info.label_count(head),
                IntStream.range(0, gt_head_info.layer_count(head))
                        .mapToObj(i -> gt_head_info.layers(head, i))
                        .toList());
    }
}
