package io.gatun.bench.peers;

import io.gatun.bench.Companions;
import io.gatun.bench.Shape;
import io.gatun.kernel.Compute;
import io.gatun.kernel.Kernel;
import io.gatun.kernel.Session;
import io.gatun.kernel.SessionLimits;
import io.gatun.kernel.TokenBatch;
import io.gatun.model.ModelSource;
import io.gatun.model.TextModel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Gatun's kernel as its server calls it: a flat batch without padding, filled for each call, its threads joined. */
final class GatunEngine implements Engine {
    /** The engine that the others are measured by. */
    static final String BASELINE = "gatun-int8";

    private static final int MAX_TOKENS = 1024;
    private static final int MAX_SEQUENCES = 16;

    private final Compute compute;
    private final int threads;
    private final TextModel model;
    private final Session session;
    private final Companions companions;

    private GatunEngine(Compute compute, int threads, ModelSource source) {
        this.compute = compute;
        this.threads = threads;
        this.model = TextModel.load("default", source, compute);
        this.session = Session.open(model.kernel(), new SessionLimits(MAX_TOKENS, MAX_SEQUENCES, threads));
        // ggml starts threads of its own.
        this.companions = new Companions(session, compute.joins() ? threads - 1 : 0);
    }

    /**
     * The kernel in every way of computing that this processor has, and the baseline on one thread.
     *
     * @param threads that the others compute with
     */
    static List<GatunEngine> all(ModelSource source, int threads) {
        List<GatunEngine> engines = new ArrayList<>();
        engines.add(new GatunEngine(Compute.INT8, threads, source));
        engines.add(new GatunEngine(Compute.INT8, 1, source));
        engines.add(new GatunEngine(Compute.F32, threads, source));
        if (Kernel.supports(Compute.BF16)) {
            engines.add(new GatunEngine(Compute.BF16, threads, source));
        }
        engines.add(new GatunEngine(Compute.GGML, threads, source));
        return engines;
    }

    @Override
    public String name() {
        return "gatun-" + compute.id();
    }

    @Override
    public int threads() {
        return threads;
    }

    @Override
    public Accuracy accuracy() {
        return switch (compute) {
            case F32 -> Accuracy.FP32;
            case BF16 -> Accuracy.BF16;
            case INT8, GGML -> Accuracy.GATUN_INT8;
        };
    }

    @Override
    public float[][] logits(Shape shape) {
        companions.wake();
        try {
            return run(shape);
        } finally {
            companions.sleep();
        }
    }

    @Override
    public double[] turn(Shape shape, Turn turn) {
        companions.wake();
        try {
            return turn.time(() -> run(shape));
        } finally {
            companions.sleep();
        }
    }

    @Override
    public Duration cpuTime() {
        return Quiet.ownCpuTime();
    }

    @Override
    public void close() {
        companions.close();
        session.close();
        model.close();
    }

    private float[][] run(Shape shape) {
        TokenBatch batch = session.batch();
        batch.clear();
        for (int[] sequence : shape.sequences()) {
            batch.add(sequence, null, 1, false);
        }
        session.run(threads);
        float[][] logits = new float[shape.sequences().size()][];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = session.logits(i, 0);
        }
        return logits;
    }
}
