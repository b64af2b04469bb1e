package io.gatun.bench.load;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/** Whether an answer says the same, bit for bit, as the first to its text. Thread-safe. */
final class Unchanged implements Predicate<Answer> {
    private final AtomicReferenceArray<ByteBuffer> first;

    private final UnaryOperator<ByteBuffer> lasting;

    /**
     * Nothing seen yet.
     *
     * @param lasting what of an answer is compared
     */
    Unchanged(int texts, UnaryOperator<ByteBuffer> lasting) {
        this.lasting = lasting;
        this.first = new AtomicReferenceArray<>(texts);
    }

    @Override
    public boolean test(Answer answer) {
        ByteBuffer body = lasting.apply(answer.body());
        ByteBuffer seen = first.compareAndExchange(answer.text(), null, body);
        return seen == null || seen.equals(body);
    }
}
