package io.gatun.bench.peers;

import io.gatun.bench.Shape;
import java.util.Arrays;

/**
 * One engine's times for one shape.
 *
 * @param tokensPerSecond tokens without padding, at the median
 */
record Result(
        String engine, String shape, int threads, double p10Ms, double p50Ms, double p90Ms, double tokensPerSecond) {

    /** Of the milliseconds of each call. */
    static Result of(Engine engine, Shape shape, double[] times) {
        return of(engine.name(), engine.threads(), shape, times);
    }

    static Result of(String engine, int threads, Shape shape, double[] times) {
        double[] sorted = times.clone();
        Arrays.sort(sorted);
        double median = percentile(sorted, 50);
        return new Result(
                engine,
                shape.name(),
                threads,
                percentile(sorted, 10),
                median,
                percentile(sorted, 90),
                shape.tokens() / median * 1e3);
    }

    /** Between the two nearest of numbers that are sorted, in proportion. */
    static double percentile(double[] sorted, double percent) {
        double at = (sorted.length - 1) * percent / 100;
        int below = (int) at;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
    }
}
