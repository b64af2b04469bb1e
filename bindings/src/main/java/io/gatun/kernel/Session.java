package io.gatun.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.gatun.kernel.generated.gatun_h;
import io.gatun.kernel.generated.gt_batch;
import io.gatun.kernel.generated.gt_error;
import io.gatun.kernel.generated.gt_profile;
import io.gatun.kernel.generated.gt_session_params;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Runs batches of one model on the thread that calls it, and on those that {@link #join} while one runs. The batch is
 * filled, run and read by one thread at a time; threads that join touch nothing of it. All should be platform threads,
 * since a virtual one would hold its carrier for as long as a batch takes.
 *
 * <p>All its memory, batch and logits included, is one slab that is allocated when it opens and given back when it
 * closes; running allocates nothing native.
 */
public final class Session implements AutoCloseable {
    /** The bit that asks for the last layer's rows. */
    static final int STATES = gatun_h.GT_OUTPUT_STATES();

    private static final int STATES_HEAD = Integer.SIZE - 1;

    private final Model model;
    private final Slab slab;
    private final MemorySegment handle;
    private final MemorySegment request; // gt_batch
    private final MemorySegment logits; // float[capacity]
    private final NativeError error;
    private final TokenBatch batch;
    private final int maxThreads;
    private final AtomicReference<State> state = new AtomicReference<>(State.IDLE);
    /** Threads within {@link #join}. They count themselves before they look at the state: see {@link #close}. */
    private final AtomicInteger joining = new AtomicInteger();

    private enum State {
        IDLE,
        RUNNING,
        CLOSED
    }

    private Session(Model model, Slab slab, MemorySegment handle, Parts parts, SessionLimits limits) {
        this.model = model;
        this.slab = slab;
        this.handle = handle;
        this.request = parts.request();
        this.logits = parts.logits();
        this.error = parts.error();
        this.batch = new TokenBatch(model, limits, parts.ids(), parts.types(), parts.starts(), parts.outputs());
        gt_batch.struct_size(request, (int) gt_batch.sizeof());
        this.maxThreads = limits.maxThreads();
        gt_batch.ids(request, parts.ids());
        gt_batch.types(request, parts.types());
        gt_batch.starts(request, parts.starts());
        gt_batch.outputs(request, parts.outputs());
        gt_batch.logits(request, logits);
        gt_batch.logits_capacity(request, logits.byteSize() / Float.BYTES);
    }

    /** Native bytes that {@link #open} will allocate. */
    public static long bytes(Model model, SessionLimits limits) {
        return Parts.bytes(model, limits) + scratchBytes(model, limits);
    }

    /**
     * Opens a session.
     *
     * @throws KernelException {@link KernelException.Status#MEMORY} when the system has too little
     */
    public static Session open(Model model, SessionLimits limits) {
        model.sessionOpens();
        Slab slab = null;
        MemorySegment handle = null;
        try (Arena call = Arena.ofConfined()) {
            slab = Slab.allocate(bytes(model, limits));
            Parts parts = Parts.carve(model, limits, slab);
            MemorySegment out = call.allocate(ValueLayout.ADDRESS);
            NativeError error = NativeError.allocate(call);
            error.check(gatun_h.gt_session_open(
                    model.handle(),
                    params(limits, call),
                    parts.scratch(),
                    parts.scratch().byteSize(),
                    out,
                    error.segment()));
            handle = out.get(ValueLayout.ADDRESS, 0);
            return new Session(model, slab, handle, parts, limits);
        } catch (Throwable e) {
            if (handle != null) {
                gatun_h.gt_session_close(handle);
            }
            if (slab != null) {
                slab.close();
            }
            model.sessionCloses();
            throw e;
        }
    }

    /** Native bytes that the session holds now; 0 once it is closed. Any thread. */
    public long bytes() {
        return state.get() == State.CLOSED ? 0 : slab.size();
    }

    /** The session's batch: clear it, add to it, then {@link #run()}. */
    public TokenBatch batch() {
        return batch;
    }

    /**
     * Runs the batch on this thread alone. On failure the session stays usable.
     *
     * @throws KernelException {@link KernelException.Status#BATCH} for an empty batch
     * @throws IllegalStateException when the session is closed, or another thread runs it
     */
    public void run() {
        run(1);
    }

    /**
     * Runs the batch, and lets others {@link #join} it. It waits for nobody to come: what the others do not compute, this
     * thread does. The answer is the same bits whoever joins.
     *
     * @param threads how many are expected, this one included; 1 lets nobody join
     * @throws KernelException {@link KernelException.Status#BATCH} for an empty batch
     * @throws IllegalStateException when the session is closed, or another thread runs it
     */
    public void run(int threads) {
        if (threads < 1 || threads > maxThreads) {
            throw new IllegalArgumentException(threads + " threads of a session for at most " + maxThreads);
        }
        alone(() -> {
            fillRequest(threads);
            error.check(gatun_h.gt_session_run(handle, request, error.segment()));
            batch.answered();
        });
    }

    /**
     * Computes a share of the batch that another thread runs just now, and returns when that batch ends. Returns at once
     * when none runs that may be joined. Any thread, any number at once, also while the session is being closed.
     *
     * @return how many pieces of the batch this thread computed
     */
    public long join() {
        joining.incrementAndGet();
        try {
            return state.get() == State.RUNNING ? gatun_h.gt_session_join(handle) : 0;
        } finally {
            joining.decrementAndGet();
        }
    }

    /**
     * Where the time of all batches since the last call went, in nanoseconds over all threads. Measuring starts with the
     * first call, which gives zeros. Not with {@link Compute#GGML}.
     */
    public Map<Stage, Long> profile() {
        Map<Stage, Long> nanos = new EnumMap<>(Stage.class);
        alone(() -> {
            try (Arena call = Arena.ofConfined()) {
                MemorySegment profile = gt_profile.allocate(call);
                gt_profile.struct_size(profile, (int) gt_profile.sizeof());
                error.check(gatun_h.gt_session_profile(handle, profile, error.segment()));
                for (Stage stage : Stage.values()) {
                    nanos.put(stage, gt_profile.nanos(profile, stage.code()));
                }
            }
        });
        return nanos;
    }

    /**
     * Computes one stage of one layer for all rows of the batch, on this thread, from whatever the last run left: for
     * benchmarks. Writes no logits.
     *
     * @param stage from {@link Stage#EMBED} to {@link Stage#DOWN}
     * @param layer from 0
     */
    public void runStage(Stage stage, int layer) {
        alone(() -> {
            fillRequest(1);
            error.check(gatun_h.gt_session_run_stage(handle, request, stage.code(), layer, error.segment()));
        });
    }

    /** Does what only one thread may do at a time, and none after the end. */
    private void alone(Runnable call) {
        if (!state.compareAndSet(State.IDLE, State.RUNNING)) {
            throw new IllegalStateException("the session is closed, or another thread runs it");
        }
        try {
            call.run();
        } finally {
            state.set(State.IDLE);
        }
    }

    private void fillRequest(int threads) {
        gt_batch.token_count(request, batch.tokens());
        gt_batch.sequence_count(request, batch.sequences());
        gt_batch.threads(request, threads);
    }

    /**
     * A copy of a head's logits for a sequence of the batch that ran last.
     *
     * @throws IllegalStateException when the batch did not run, or was changed since
     * @return {@code [labels]} or, row by row, {@code [length][labels]} of a head that answers tokens and
     *     {@code [masks][vocabulary]} of one that fills masks
     */
    public float[] logits(int sequence, int head) {
        HeadInfo info = model.heads().get(head);
        return copy(batch.logitsStart(sequence, head), info.labelCount() * batch.rows(sequence, info.rows()));
    }

    /** A copy of the last layer's rows for a sequence that asked for them, {@code [length][embeddingLength]}. */
    public float[] states(int sequence) {
        int length = batch.length(sequence) * model.info().embeddingLength();
        return copy(batch.logitsStart(sequence, STATES_HEAD), length);
    }

    /**
     * The mean of the last layer's rows for a sequence that asked for them, {@code [embeddingLength]}. Added up in the
     * rows' order, so that its bits depend on nothing else.
     */
    public float[] meanState(int sequence) {
        int rows = batch.length(sequence);
        float[] mean = firstState(sequence);
        float[] row = new float[mean.length];
        long next = batch.logitsStart(sequence, STATES_HEAD) * 4L;
        for (int i = 1; i < rows; i++) {
            next += row.length * 4L;
            MemorySegment.copy(logits, JAVA_FLOAT, next, row, 0, row.length);
            for (int j = 0; j < row.length; j++) {
                mean[j] += row[j];
            }
        }
        for (int j = 0; j < mean.length; j++) {
            mean[j] /= rows;
        }
        return mean;
    }

    /** The last layer's row of the first token of a sequence that asked for its rows, {@code [embeddingLength]}. */
    public float[] firstState(int sequence) {
        return copy(batch.logitsStart(sequence, STATES_HEAD), model.info().embeddingLength());
    }

    /** The last layer's row of the last token of a sequence that asked for its rows, {@code [embeddingLength]}. */
    public float[] lastState(int sequence) {
        int width = model.info().embeddingLength();
        return copy(batch.logitsStart(sequence, STATES_HEAD) + (batch.length(sequence) - 1) * width, width);
    }

    /** Of each dimension the largest value in the last layer's rows of a sequence, {@code [embeddingLength]}. */
    public float[] maxState(int sequence) {
        int rows = batch.length(sequence);
        float[] max = firstState(sequence);
        float[] row = new float[max.length];
        long next = batch.logitsStart(sequence, STATES_HEAD) * 4L;
        for (int i = 1; i < rows; i++) {
            next += row.length * 4L;
            MemorySegment.copy(logits, JAVA_FLOAT, next, row, 0, row.length);
            for (int j = 0; j < row.length; j++) {
                max[j] = Math.max(max[j], row[j]);
            }
        }
        return max;
    }

    private float[] copy(int start, int length) {
        return logits.asSlice(start * 4L, length * 4L).toArray(JAVA_FLOAT);
    }

    /**
     * Gives the memory back, as soon as the last thread has left {@link #join}. A second call does nothing.
     *
     * @throws IllegalStateException while a batch runs
     */
    @Override
    public void close() {
        State before = state.compareAndExchange(State.IDLE, State.CLOSED);
        if (before == State.RUNNING) {
            throw new IllegalStateException("a batch runs");
        }
        if (before == State.IDLE) {
            // Who counts itself from now on sees CLOSED; who did before has no batch to compute, and leaves at once.
            while (joining.get() > 0) {
                Thread.onSpinWait();
            }
            gatun_h.gt_session_close(handle);
            slab.close();
            model.sessionCloses();
        }
    }

    private static long scratchBytes(Model model, SessionLimits limits) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment bytes = call.allocate(ValueLayout.JAVA_LONG);
            NativeError error = NativeError.allocate(call);
            error.check(gatun_h.gt_session_measure(model.handle(), params(limits, call), bytes, error.segment()));
            return bytes.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    private static MemorySegment params(SessionLimits limits, SegmentAllocator allocator) {
        MemorySegment params = gt_session_params.allocate(allocator);
        gt_session_params.struct_size(params, (int) gt_session_params.sizeof());
        gt_session_params.max_tokens(params, limits.maxTokens());
        gt_session_params.max_sequences(params, limits.maxSequences());
        gt_session_params.max_threads(params, limits.maxThreads());
        return params;
    }

    /** How a session's slab is cut: the small parts first, each aligned, then the kernel's scratch. */
    private record Parts(
            MemorySegment request,
            NativeError error,
            MemorySegment ids,
            MemorySegment types,
            MemorySegment starts,
            MemorySegment outputs,
            MemorySegment logits,
            MemorySegment scratch) {

        static long bytes(Model model, SessionLimits limits) {
            return aligned(gt_batch.sizeof())
                    + aligned(gt_error.sizeof())
                    + 2 * aligned(4L * limits.maxTokens())
                    + aligned(4L * (limits.maxSequences() + 1))
                    + aligned(4L * limits.maxSequences())
                    + aligned(4L * logitsCapacity(model, limits));
        }

        static Parts carve(Model model, SessionLimits limits, Slab slab) {
            SegmentAllocator cut = SegmentAllocator.slicingAllocator(slab.segment());
            return new Parts(
                    cut(cut, gt_batch.sizeof()),
                    NativeError.allocate((size, alignment) -> cut(cut, size)),
                    cut(cut, 4L * limits.maxTokens()),
                    cut(cut, 4L * limits.maxTokens()),
                    cut(cut, 4L * (limits.maxSequences() + 1)),
                    cut(cut, 4L * limits.maxSequences()),
                    cut(cut, 4L * logitsCapacity(model, limits)),
                    cut(cut, slab.size() - bytes(model, limits)));
        }

        /** Floats of the largest answer: every head and the states, for a full batch. */
        private static long logitsCapacity(Model model, SessionLimits limits) {
            long capacity = (long) limits.maxTokens() * model.info().embeddingLength();
            for (HeadInfo head : model.heads()) {
                capacity += (long) head.labelCount()
                        * switch (head.rows()) {
                            case PER_TEXT -> limits.maxSequences();
                            case PER_TOKEN -> limits.maxTokens();
                            case PER_MASK -> Math.min(limits.maxTokens(), limits.maxMasks());
                        };
            }
            if (capacity > Integer.MAX_VALUE) {
                throw new KernelException(
                        KernelException.Status.MEMORY,
                        "A batch of " + limits.maxTokens() + " tokens has more logits than one buffer holds.");
            }
            return capacity;
        }

        private static MemorySegment cut(SegmentAllocator slab, long bytes) {
            return slab.allocate(bytes, Slab.ALIGNMENT);
        }

        private static long aligned(long bytes) {
            return Math.ceilDiv(bytes, Slab.ALIGNMENT) * Slab.ALIGNMENT;
        }
    }
}
