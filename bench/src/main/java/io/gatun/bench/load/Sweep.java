package io.gatun.bench.load;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Finds how much servers do, and how fast: each is asked at rates that go up until it no longer keeps up, all in turns,
 * so that a noisy minute hurts all alike. Used by one thread.
 */
final class Sweep {
    static final String CALM = "calm";

    private static final int CALLERS = 32;
    private static final double[] STEPS = {0.1, 0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 4};
    private static final int REFINEMENTS = 5;
    private static final double CALM_LOAD = 0.7;
    /** One in a hundred is ten of so many; at low rates a window lasts longer to see them. */
    private static final double ENOUGH_REQUESTS = 1000;

    private static final int LONGEST_WINDOWS = 3;
    private static final int CALM_WINDOWS = 2; // the run that percentiles are read from lasts longer

    private final List<Subject> subjects;
    private final Plan plan;
    private final Consumer<String> progress;
    private final Map<String, Double> saturated = new LinkedHashMap<>();
    private final List<Run> runs = new ArrayList<>();

    /**
     * How long to measure.
     *
     * @param warmUp seconds before each window that are not counted
     * @param window seconds that are, more where few requests come
     * @param saturation seconds in which a server and its client get warm
     */
    record Plan(double warmUp, double window, double saturation, long seed) {}

    Sweep(List<Subject> subjects, Plan plan, Consumer<String> progress) {
        this.subjects = subjects;
        this.plan = plan;
        this.progress = progress;
    }

    /** All that was measured so far. */
    List<Run> runs() {
        return runs;
    }

    /** Goes up with all servers until none keeps up; each has a second try. */
    void climb() throws InterruptedException {
        for (Subject subject : subjects) {
            double rate = subject.saturate(CALLERS, plan.saturation());
            if (rate <= 0) {
                throw new LoadException(subject.name() + " answered nothing in " + plan.saturation() + " s.");
            }
            saturated.put(subject.name(), rate);
            progress.accept("%s answers about %.0f a second".formatted(subject.name(), rate));
        }
        List<Subject> climbing = new ArrayList<>(subjects);
        for (int i = 0; i < STEPS.length && !climbing.isEmpty(); i++) {
            for (Subject subject : List.copyOf(climbing)) {
                double rate = STEPS[i] * saturated.getOrDefault(subject.name(), 0.0);
                boolean keepsUp = measure(subject, "climb", rate, 1).counted().keepsUp();
                if (!keepsUp) {
                    keepsUp = measure(subject, "climb", rate, 1).counted().keepsUp();
                }
                if (!keepsUp) {
                    climbing.remove(subject);
                }
            }
        }
    }

    /**
     * Narrows down the highest rate that each server sustains within each budget of its 99th percentile. A rate that
     * missed once is tried again first, and the better of both counts: a neighbour's noise is not the server's.
     */
    void refine(List<Double> budgetsMs) throws InterruptedException {
        for (double budget : budgetsMs) {
            for (int i = 0; i < REFINEMENTS; i++) {
                for (Subject subject : subjects) {
                    double missed = lowestMissed(subject.name(), budget);
                    if (Double.isInfinite(missed)) {
                        continue;
                    }
                    boolean sure = at(subject.name(), missed).size() > 1;
                    measure(subject, "refine", sure ? (sustained(subject.name(), budget) + missed) / 2 : missed, 1);
                }
            }
        }
    }

    /** Every server at seven tenths of what it can do: the run that percentiles are read from. */
    void calm() throws InterruptedException {
        for (Subject subject : subjects) {
            measure(subject, CALM, CALM_LOAD * capacity(subject.name()), CALM_WINDOWS);
        }
    }

    /** The highest rate that a server kept up with or, where more came, the most that it answered. */
    double capacity(String server) {
        return of(server)
                .mapToDouble(run ->
                        run.counted().keepsUp() ? run.rate() : run.counted().answersPerSecond())
                .max()
                .orElse(saturated.getOrDefault(server, 0.0));
    }

    /** The highest rate within a budget, below the lowest that was not; 0 when there is none. */
    double sustained(String server, double budgetMs) {
        double missed = lowestMissed(server, budgetMs);
        return of(server)
                .filter(run -> run.rate() < missed && within(run, budgetMs))
                .mapToDouble(Run::rate)
                .max()
                .orElse(0);
    }

    private double lowestMissed(String server, double budgetMs) {
        return of(server)
                .filter(run -> at(server, run.rate()).stream().noneMatch(again -> within(again, budgetMs)))
                .mapToDouble(Run::rate)
                .min()
                .orElse(Double.POSITIVE_INFINITY);
    }

    private List<Run> at(String server, double rate) {
        return of(server).filter(run -> run.rate() == rate).toList();
    }

    private Stream<Run> of(String server) {
        return runs.stream().filter(run -> run.server().equals(server));
    }

    private static boolean within(Run run, double budgetMs) {
        return run.counted().keepsUp() && run.counted().quantileMs(0.99) <= budgetMs;
    }

    private Run measure(Subject subject, String stage, double rate, int windows) throws InterruptedException {
        // Another seed each time, the same for the n-th run of any server.
        long nth =
                runs.stream().filter(run -> run.server().equals(subject.name())).count();
        double window = Math.clamp(ENOUGH_REQUESTS / rate, plan.window(), LONGEST_WINDOWS * plan.window());
        Run run = subject.measure(stage, rate, plan.warmUp(), windows * window, 1, plan.seed() + nth);
        runs.add(run);
        progress.accept("%s at %.0f/s: p50 %.2f ms, p99 %.2f ms, %.0f answers/s%s"
                .formatted(
                        subject.name(),
                        rate,
                        run.counted().quantileMs(0.5),
                        run.counted().quantileMs(0.99),
                        run.counted().answersPerSecond(),
                        run.counted().keepsUp() ? "" : ", does not keep up"));
        return run;
    }
}
