package io.gatun.bench.load;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What a server does when twice as much comes as it can do.
 *
 * @param run at that rate, its goodput in ten parts
 * @param usages of the server's process, at the start of each part and at the end
 */
record Overload(Run run, List<Usage> usages) {
    private static final int PARTS = 10;
    private static final double LOAD = 2;
    private static final double WARM_UP = 2;

    /** Overloads a server for some seconds. */
    static Overload of(Subject subject, double capacity, double seconds, long seed) throws InterruptedException {
        List<Usage> usages = Collections.synchronizedList(new ArrayList<>());
        Thread watch = Thread.ofPlatform().daemon().name("usage").start(() -> {
            try {
                Thread.sleep((long) (WARM_UP * 1000));
                while (true) {
                    subject.usage().ifPresent(usages::add);
                    Thread.sleep((long) (seconds / PARTS * 1000));
                }
            } catch (InterruptedException e) {
                // Measured.
            }
        });
        try {
            Run run = subject.measure("overload", LOAD * capacity, WARM_UP, seconds, PARTS, seed);
            return new Overload(run, List.copyOf(usages));
        } finally {
            watch.interrupt();
        }
    }

    /** The worst part's goodput over the best one's. */
    double steadiness() {
        List<Long> parts = run.counted().goodput();
        return Collections.min(parts) / (double) Math.max(1, Collections.max(parts));
    }
}
