package io.gatun.bench.peers;

import io.gatun.bench.Shape;
import java.time.Duration;

/** One way to compute the default model's sentiment. Used by one thread. */
sealed interface Engine extends AutoCloseable permits GatunEngine, OnnxRuntimeEngine, PythonEngine {
    /** By which results call it. */
    String name();

    /** The threads that it computes with. */
    int threads();

    /** How exactly it computes. */
    Accuracy accuracy();

    /**
     * Answers once, and keeps the shape's inputs ready for {@link #turn}. Not timed.
     *
     * @return {@code [sequence][2]}
     */
    float[][] logits(Shape shape);

    /** Takes a turn: the milliseconds of each call that counts, from ids to logits. */
    double[] turn(Shape shape, Turn turn);

    /** The processor time that it has used so far, with all its threads. */
    Duration cpuTime();

    @Override
    void close();
}
