package io.gatun.bench.load;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Predicate;

/** Whether an answer is the same bytes as the first to its text. Thread-safe. */
final class Unchanged implements Predicate<Answer> {
    private final AtomicReferenceArray<ByteBuffer> first;

    Unchanged(int texts) {
        this.first = new AtomicReferenceArray<>(texts);
    }

    @Override
    public boolean test(Answer answer) {
        ByteBuffer seen = first.compareAndExchange(answer.text(), null, answer.body());
        return seen == null || seen.equals(answer.body());
    }
}
