package io.gatun.inference;

import io.gatun.service.Timings;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** Counts one model's requests. Thread-safe. */
final class StatisticsCounters {
    private final AtomicLong last = new AtomicLong();
    private final LongAdder texts = new LongAdder();
    private final LongAdder successes = new LongAdder();
    private final LongAdder successNanos = new LongAdder();
    private final LongAdder failures = new LongAdder();
    private final LongAdder failureNanos = new LongAdder();
    private final LongAdder queueNanos = new LongAdder();
    private final LongAdder inputNanos = new LongAdder();
    private final LongAdder inferenceNanos = new LongAdder();

    void succeeded(int answered, Timings timings) {
        last.set(System.currentTimeMillis());
        texts.add(answered);
        successes.increment();
        successNanos.add(System.nanoTime() - timings.start());
        queueNanos.add(timings.queueNanos());
        inputNanos.add(timings.tokenizationNanos());
        inferenceNanos.add(timings.inferenceNanos());
    }

    void failed(Timings timings) {
        failures.increment();
        failureNanos.add(System.nanoTime() - timings.start());
    }

    ModelStatistics read(String name) {
        long count = successes.sum();
        return new ModelStatistics(
                name,
                last.get(),
                texts.sum(),
                count,
                new ModelStatistics.Times(count, successNanos.sum()),
                new ModelStatistics.Times(failures.sum(), failureNanos.sum()),
                new ModelStatistics.Times(count, queueNanos.sum()),
                new ModelStatistics.Times(count, inputNanos.sum()),
                new ModelStatistics.Times(count, inferenceNanos.sum()));
    }
}
