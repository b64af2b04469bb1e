package io.gatun.metrics;

import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * The counters whose names dashboards know without {@code _total}. The Prometheus library adds that suffix to every
 * counter, so these are written by hand.
 */
final class TeiCounters {
    private final String name;
    private final String help;
    private final String label;
    private final Map<String, LongAdder> counts = new ConcurrentSkipListMap<>();

    TeiCounters(String name, String help, String label, String... values) {
        this.name = name;
        this.help = help;
        this.label = label;
        for (String value : values) {
            counts.put(value, new LongAdder());
        }
    }

    void increment(String value) {
        counts.computeIfAbsent(value, v -> new LongAdder()).increment();
    }

    void write(StringBuilder out) {
        out.append("# HELP ").append(name).append(' ').append(help).append('\n');
        out.append("# TYPE ").append(name).append(" counter\n");
        counts.forEach((value, count) -> out.append(name)
                .append('{')
                .append(label)
                .append("=\"")
                .append(value)
                .append("\"} ")
                .append(count.sum())
                .append('\n'));
    }
}
