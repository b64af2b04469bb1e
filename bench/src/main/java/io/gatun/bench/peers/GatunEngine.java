package io.gatun.bench.peers;

import io.gatun.kernel.Session;
import io.gatun.kernel.SessionLimits;
import io.gatun.kernel.TokenBatch;
import io.gatun.model.TextModel;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/** Gatun's kernel as its server calls it: a flat batch without padding, filled for each call. */
final class GatunEngine implements Engine {
    /** The engine that the others are measured by. */
    static final String BASELINE = "gatun-int8";

    private static final SessionLimits LIMITS = new SessionLimits(1024, 16);

    /** What the kernel computes in. GGML is the plain graph of the same encoder on the file's q8_0. */
    enum Compute {
        INT8(Accuracy.INT8),
        F32(Accuracy.FP32),
        BF16(Accuracy.BF16),
        GGML(Accuracy.INT8);

        private final Accuracy accuracy;

        Compute(Accuracy accuracy) {
            this.accuracy = accuracy;
        }
    }

    private final Compute compute;
    private final int threads;
    private final Session session;

    private GatunEngine(Compute compute, int threads, Session session) {
        this.compute = compute;
        this.threads = threads;
        this.session = session;
    }

    /**
     * The kernel's engines, and the baseline on one thread. The kernel computes with ggml on one thread so far.
     *
     * @param threads that the others compute with
     */
    static List<GatunEngine> all(TextModel model, int threads) {
        return List.of(open(model, Compute.GGML, 1));
    }

    private static GatunEngine open(TextModel model, Compute compute, int threads) {
        return new GatunEngine(compute, threads, Session.open(model.kernel(), LIMITS));
    }

    @Override
    public String name() {
        return "gatun-" + compute.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public int threads() {
        return threads;
    }

    @Override
    public Accuracy accuracy() {
        return compute.accuracy;
    }

    @Override
    public float[][] logits(Shape shape) {
        return run(shape);
    }

    @Override
    public double[] turn(Shape shape, Turn turn) {
        return turn.time(() -> run(shape));
    }

    @Override
    public Duration cpuTime() {
        return Quiet.ownCpuTime();
    }

    @Override
    public void close() {
        session.close();
    }

    private float[][] run(Shape shape) {
        TokenBatch batch = session.batch();
        batch.clear();
        for (int[] sequence : shape.sequences()) {
            batch.add(sequence, null, 1, false);
        }
        session.run();
        float[][] logits = new float[shape.sequences().size()][];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = session.logits(i, 0);
        }
        return logits;
    }
}
