package io.gatun.bench.load;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * What was measured.
 *
 * @param servers by name, Gatun first where it is one of them
 * @param runs all of them, in the order in which they were made
 * @param overloads by server
 * @param others share of the processor that other programs used
 */
record LoadReport(
        List<String> servers, Sweep sweep, List<Run> runs, Map<String, Overload> overloads, OptionalDouble others) {
    static final List<Double> BUDGETS_MS = List.of(20.0, 50.0);

    private static final String ROW = "%-22s %10s %13s %13s %11s %11s %8s %13s%n";
    private static final double[] SHARES = {0.5, 0.9, 0.99, 0.999};
    private static final double NOISY = 0.05;
    private static final double NANOS_A_MS = 1e6;
    private static final int MEBI = 1 << 20;
    /** Points of a percentile plot: each is half as far from 100 % as the one before, in four steps. */
    private static final int STEPS_A_HALVING = 4;

    void print(PrintStream out) {
        out.printf(
                Locale.ROOT,
                ROW,
                "requests a second",
                "capacity",
                "p99 <= 20 ms",
                "p99 <= 50 ms",
                "70%: p50 ms",
                "p99 ms",
                "p99/p50",
                "changed bits");
        for (String server : servers) {
            Run calm = calm(server);
            out.printf(
                    Locale.ROOT,
                    ROW,
                    server,
                    number("%.0f", sweep.capacity(server)),
                    number("%.0f", sweep.sustained(server, 20)),
                    number("%.0f", sweep.sustained(server, 50)),
                    number("%.2f", calm.counted().quantileMs(0.5)),
                    number("%.2f", calm.counted().quantileMs(0.99)),
                    number(
                            "%.2f",
                            calm.counted().quantileMs(0.99) / calm.counted().quantileMs(0.5)),
                    changed(server) + " of " + answered(server));
        }
        for (double budget : BUDGETS_MS) {
            peers(budget).ifPresent(best -> out.println(verdict(budget, best)));
        }
        overloads.forEach((server, overload) -> print(server, overload, out));
        others.ifPresent(share -> {
            if (share > NOISY) {
                out.printf(
                        Locale.ROOT,
                        "Other programs used %.0f %% of the processor: these numbers are noisy.%n",
                        100 * share);
            }
        });
    }

    /** The best of the peers within a budget; nothing where there are no peers, or not Gatun. */
    private OptionalDouble peers(double budget) {
        return servers.contains(Servers.GATUN)
                ? servers.stream()
                        .filter(server -> !server.equals(Servers.GATUN))
                        .mapToDouble(server -> sweep.sustained(server, budget))
                        .max()
                : OptionalDouble.empty();
    }

    private String verdict(double budget, double best) {
        double own = sweep.sustained(Servers.GATUN, budget);
        return best > 0
                ? String.format(
                        Locale.ROOT,
                        "At a p99 of %.0f ms Gatun answers %.2f times as much as the best ONNX Runtime form.",
                        budget,
                        own / best)
                : String.format(
                        Locale.ROOT,
                        "No ONNX Runtime form keeps a p99 of %.0f ms at any rate; Gatun does at %.0f/s.",
                        budget,
                        own);
    }

    private static void print(String server, Overload overload, PrintStream out) {
        Counted counted = overload.run().counted();
        out.printf(
                Locale.ROOT,
                "%s at %.0f/s for %.0f s: %.0f answers/s, p99 %.0f ms of those answered; worst part %.0f %% of the best; outcomes %s; refusals p50 %.2f ms, p99 %.2f ms, max %.2f ms%n",
                server,
                overload.run().rate(),
                counted.seconds(),
                counted.answersPerSecond(),
                counted.answered().getValueAtPercentile(99) / NANOS_A_MS,
                100 * overload.steadiness(),
                counted.outcomes(),
                counted.refusalMs(0.5),
                counted.refusalMs(0.99),
                counted.refusalMs(1));
        if (!overload.usages().isEmpty()) {
            Usage first = overload.usages().getFirst();
            Usage last = overload.usages().getLast();
            out.printf(
                    Locale.ROOT,
                    "%s from its first to its last part: RSS %d to %d MiB, threads %d to %d, descriptors %d to %d%n",
                    server,
                    first.residentBytes() / MEBI,
                    last.residentBytes() / MEBI,
                    first.threads(),
                    last.threads(),
                    first.descriptors(),
                    last.descriptors());
        }
    }

    /** Adds all to a report that says already what it was measured on. */
    ObjectNode json(ObjectNode json) {
        others.ifPresent(share -> json.put("other_programs_share", share));
        ArrayNode list = json.putArray("servers");
        for (String server : servers) {
            ObjectNode node = list.addObject().put("name", server).put("capacity_per_s", sweep.capacity(server));
            ObjectNode sustained = node.putObject("sustained_per_s");
            BUDGETS_MS.forEach(
                    budget -> sustained.put("p99_" + budget.intValue() + "_ms", sweep.sustained(server, budget)));
            node.put("answered", answered(server)).put("changed_answers", changed(server));
            ArrayNode curve = node.putArray("percentiles_at_70_percent");
            Counted calm = calm(server).counted();
            double least = 1.0 / Math.max(2, calm.sent());
            for (double rest = 1; rest >= least; rest *= Math.pow(0.5, 1.0 / STEPS_A_HALVING)) {
                curve.addArray().add(1 - rest).add(finite(calm.quantileMs(1 - rest)));
            }
        }
        for (double budget : BUDGETS_MS) {
            OptionalDouble best = peers(budget);
            if (best.isPresent() && best.getAsDouble() > 0) {
                json.withObjectProperty("ratio_to_best_onnxruntime")
                        .put(
                                "p99_" + (int) budget + "_ms",
                                sweep.sustained(Servers.GATUN, budget) / best.getAsDouble());
            }
        }
        ArrayNode all = json.putArray("runs");
        runs.forEach(run -> put(run, all.addObject()));
        overloads
                .values()
                .forEach(overload ->
                        put(overload, json.withArrayProperty("overloads").addObject()));
        return json;
    }

    private static void put(Run run, ObjectNode node) {
        Counted counted = run.counted();
        node.put("server", run.server())
                .put("stage", run.stage())
                .put("rate_per_s", run.rate())
                .put("seconds", counted.seconds())
                .put("sent", counted.sent())
                .put("answers_per_s", counted.answersPerSecond())
                .put("keeps_up", counted.keepsUp());
        ObjectNode outcomes = node.putObject("outcomes");
        counted.outcomes().forEach(outcomes::put);
        ObjectNode latency = node.putObject("latency_ms");
        for (double share : SHARES) {
            latency.put(name(share), finite(counted.quantileMs(share)));
        }
        latency.put("max", finite(counted.quantileMs(1)));
        if (counted.refused().getTotalCount() > 0) {
            node.putObject("refusal_ms")
                    .put("p50", counted.refusalMs(0.5))
                    .put("p99", counted.refusalMs(0.99))
                    .put("max", counted.refusalMs(1));
        }
        node.put("latest_send_ms", run.latestMs()).put("client_cores", run.clientCores());
        run.serverCores().ifPresent(cores -> node.put("server_cores", cores));
        node.put("changed_answers", counted.changed());
    }

    private static void put(Overload overload, ObjectNode node) {
        put(overload.run(), node);
        Histogram answered = overload.run().counted().answered();
        node.put("answered_p99_ms", answered.getValueAtPercentile(99) / NANOS_A_MS);
        node.put("worst_part_of_best", overload.steadiness());
        ArrayNode goodput = node.putArray("answers_by_part");
        overload.run().counted().goodput().forEach(goodput::add);
        ArrayNode usages = node.putArray("process_by_part");
        overload.usages()
                .forEach(usage -> usages.addObject()
                        .put("resident_bytes", usage.residentBytes())
                        .put("threads", usage.threads())
                        .put("descriptors", usage.descriptors()));
    }

    private static String name(double share) {
        return "p" + String.format(Locale.ROOT, "%.1f", 100 * share).replaceFirst("\\.0$", "");
    }

    /** JSON has no infinity; what was never answered is null. */
    private static @Nullable Double finite(double value) {
        return Double.isFinite(value) ? value : null;
    }

    private Run calm(String server) {
        return runs.stream()
                .filter(run -> run.server().equals(server) && run.stage().equals(Sweep.CALM))
                .findFirst()
                .orElseThrow();
    }

    private long changed(String server) {
        return runs.stream()
                .filter(run -> run.server().equals(server))
                .mapToLong(run -> run.counted().changed())
                .sum();
    }

    private long answered(String server) {
        return runs.stream()
                .filter(run -> run.server().equals(server))
                .mapToLong(run -> run.counted().answered().getTotalCount())
                .sum();
    }

    private static String number(String format, double value) {
        return Double.isFinite(value) && value > 0 ? String.format(Locale.ROOT, format, value) : "-";
    }
}
