package io.gatun.bench.peers;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.bench.JsonFile;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;

/**
 * What a comparison found.
 *
 * @param shapes their names, in the order of the table's columns
 * @param int8Peak by threads, 8-bit multiplies a second; empty when it was not measured
 * @param needed by shape, the multiplies of one call
 * @param otherPrograms what other programs used of the processor meanwhile, from 0 to 1
 */
record Report(
        Map<String, String> versions,
        int threads,
        List<String> shapes,
        List<Check> checks,
        List<Result> results,
        Map<Integer, Double> int8Peak,
        Map<String, Long> needed,
        OptionalDouble otherPrograms) {
    private static final double NOISY = 0.05;

    /** By engine and shape, its median over the baseline's with as many threads: what it takes longer. */
    Map<String, Map<String, Double>> ratios() {
        Map<String, Map<String, Double>> ratios = new LinkedHashMap<>();
        for (Result result : results) {
            if (!result.engine().equals(GatunEngine.BASELINE)) {
                results.stream()
                        .filter(other ->
                                isBaseline(other, threads) && other.shape().equals(result.shape()))
                        .forEach(baseline -> ratios.computeIfAbsent(result.engine(), _ -> new LinkedHashMap<>())
                                .put(result.shape(), result.p50Ms() / baseline.p50Ms()));
            }
        }
        return ratios;
    }

    /** By shape, what the baseline needs to multiply a second over the peak. With other threads the key tells them. */
    Map<String, Double> int8PeakShare() {
        Map<String, Double> shares = new LinkedHashMap<>();
        for (Result result : results) {
            Double peak = int8Peak.get(result.threads());
            Long multiplies = needed.get(result.shape());
            if (isBaseline(result, result.threads()) && peak != null && multiplies != null) {
                String key = result.threads() == threads ? result.shape() : result.shape() + "/" + result.threads();
                shares.put(key, multiplies / result.p50Ms() * 1e3 / peak);
            }
        }
        return shares;
    }

    private static boolean isBaseline(Result result, int threads) {
        return result.engine().equals(GatunEngine.BASELINE) && result.threads() == threads;
    }

    /** Prints tables of medians, ratios and shares. */
    void print(PrintStream out) {
        List<String[]> rows = new ArrayList<>();
        for (Result result : results) {
            String name = named(result.engine(), result.threads());
            cell(rows, name, result.shape(), String.format(Locale.ROOT, "%.2f", result.p50Ms()));
        }
        table(out, "Median milliseconds a call, " + threads + " threads", rows);
        List<String[]> ratioRows = new ArrayList<>();
        ratios().forEach((engine, byShape) -> byShape.forEach(
                (shape, ratio) -> cell(ratioRows, engine, shape, String.format(Locale.ROOT, "%.2fx", ratio))));
        table(out, "Times as long as " + GatunEngine.BASELINE, ratioRows);
        List<String[]> shareRows = new ArrayList<>();
        int8PeakShare()
                .forEach((key, share) -> cell(
                        shareRows,
                        key.indexOf('/') < 0
                                ? GatunEngine.BASELINE
                                : named(GatunEngine.BASELINE, Integer.parseInt(key.substring(key.indexOf('/') + 1))),
                        key.replaceFirst("/.*", ""),
                        String.format(Locale.ROOT, "%.0f %%", 100 * share)));
        table(out, "Share of the processor's 8-bit peak", shareRows);
        out.printf(Locale.ROOT, "%nLogits beside fp32's%n");
        for (Check check : checks) {
            out.printf(
                    Locale.ROOT,
                    "%-26s largest difference %.5f of at most %s, %d labels changed%s%n",
                    named(check.engine(), check.threads()),
                    check.largestDifference(),
                    check.tolerance(),
                    check.labelsChanged(),
                    check.passed() ? "" : ": WRONG, not timed");
        }
        if (otherPrograms.orElse(0) > NOISY) {
            out.printf(
                    Locale.ROOT,
                    "%nOther programs used %.0f %% of the processor meanwhile: these times are noisy.%n",
                    100 * otherPrograms.getAsDouble());
        }
    }

    private String named(String engine, int with) {
        return with == threads ? engine : engine + " (" + with + " thread)";
    }

    /** Sets a row's cell, and adds the row where it is missing. A row's first cell is its name. */
    private void cell(List<String[]> rows, String name, String shape, String text) {
        String[] row = rows.stream().filter(r -> r[0].equals(name)).findFirst().orElse(null);
        if (row == null) {
            row = new String[shapes.size() + 1];
            Arrays.fill(row, "");
            row[0] = name;
            rows.add(row);
        }
        row[1 + shapes.indexOf(shape)] = text;
    }

    private void table(PrintStream out, String title, List<String[]> rows) {
        if (rows.isEmpty()) {
            return;
        }
        out.printf(Locale.ROOT, "%n%s%n%-26s", title, "");
        shapes.forEach(shape -> out.printf(Locale.ROOT, "%9s", shape));
        out.println();
        for (String[] row : rows) {
            out.printf(Locale.ROOT, "%-26s", row[0]);
            for (int i = 1; i < row.length; i++) {
                out.printf(Locale.ROOT, "%9s", row[i]);
            }
            out.println();
        }
    }

    /** All of it, as JSON. */
    ObjectNode json() {
        ObjectNode json = JsonFile.begin(versions, threads);
        ArrayNode list = json.putArray("results");
        for (Result result : results) {
            list.addObject()
                    .put("engine", result.engine())
                    .put("shape", result.shape())
                    .put("threads", result.threads())
                    .put("p10_ms", rounded(result.p10Ms(), 4))
                    .put("p50_ms", rounded(result.p50Ms(), 4))
                    .put("p90_ms", rounded(result.p90Ms(), 4))
                    .put("tokens_per_s", rounded(result.tokensPerSecond(), 1));
        }
        ObjectNode ratios = json.putObject("ratios");
        ratios().forEach((engine, byShape) -> numbers(ratios.putObject(engine), byShape));
        numbers(json.putObject("int8_peak_share"), int8PeakShare());
        ObjectNode peak = json.putObject("int8_peak_multiplies_per_s");
        int8Peak.forEach((count, value) -> peak.put(count.toString(), Math.round(value)));
        otherPrograms.ifPresent(share -> json.put("other_programs_share", rounded(share, 4)));
        ArrayNode checked = json.putArray("checks");
        for (Check check : checks) {
            checked.addObject()
                    .put("engine", check.engine())
                    .put("threads", check.threads())
                    .put("largest_difference", check.largestDifference())
                    .put("tolerance", check.tolerance())
                    .put("labels_changed", check.labelsChanged())
                    .put("passed", check.passed());
        }
        return json;
    }

    private static void numbers(ObjectNode json, Map<String, Double> values) {
        values.forEach((key, value) -> json.put(key, rounded(Objects.requireNonNull(value), 4)));
    }

    private static double rounded(double value, int digits) {
        double factor = Math.pow(10, digits);
        return Math.rint(value * factor) / factor;
    }
}
