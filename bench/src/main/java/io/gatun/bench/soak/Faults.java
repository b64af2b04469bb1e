package io.gatun.bench.soak;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/** What went wrong, each in one sentence, and how often. Thread-safe. */
final class Faults {
    private final Map<String, Long> counts = new ConcurrentSkipListMap<>();

    void add(String sentence) {
        counts.merge(sentence, 1L, Long::sum);
    }

    List<String> sentences() {
        return counts.entrySet().stream()
                .map(e -> e.getKey() + (e.getValue() > 1 ? " (" + e.getValue() + " times)" : ""))
                .toList();
    }
}
