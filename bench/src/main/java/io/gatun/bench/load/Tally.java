package io.gatun.bench.load;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.HdrHistogram.Histogram;

/** Counts the answers of one window. Thread-safe. */
final class Tally implements Consumer<Answer> {
    private static final int DIGITS = 3;

    private final long start;
    private final long end;
    private final long interval;
    private final Unchanged unchanged;
    private final Histogram answered = new Histogram(DIGITS);
    private final Histogram refused = new Histogram(DIGITS);
    private final Map<String, Long> outcomes = new TreeMap<>();
    private final long[] goodput;
    private long changed;

    /**
     * Nothing counted yet.
     *
     * @param start in {@link System#nanoTime}'s time: what is to be sent before it is not counted
     * @param end what is to be sent, or completes, from then on is not counted either
     * @param intervals equal parts of the window, for each of which the answers are counted
     */
    Tally(long start, long end, int intervals, Unchanged unchanged) {
        this.start = start;
        this.end = end;
        this.interval = (end - start) / intervals;
        this.unchanged = unchanged;
        this.goodput = new long[intervals];
    }

    @Override
    public synchronized void accept(Answer answer) {
        boolean good = answer.outcome().kind() == Outcome.Kind.ANSWERED;
        if (good) {
            changed += unchanged.test(answer) ? 0 : 1;
        }
        if (good && answer.completed() >= start && answer.completed() < end) {
            goodput[(int) Math.min(goodput.length - 1, (answer.completed() - start) / interval)]++;
        }
        if (answer.intended() < start || answer.intended() >= end) {
            return;
        }
        outcomes.merge(answer.outcome().name(), 1L, Long::sum);
        switch (answer.outcome().kind()) {
            case ANSWERED -> answered.recordValue(Math.max(0, answer.latency()));
            case REFUSED -> refused.recordValue(Math.max(0, answer.latency()));
            case FAILED -> {}
        }
    }

    /** What was counted so far. */
    synchronized Counted counted() {
        return new Counted(
                (end - start) / 1e9,
                new TreeMap<>(outcomes),
                answered.copy(),
                refused.copy(),
                Arrays.stream(goodput).boxed().toList(),
                changed);
    }
}
