package io.gatun.bench;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;

/** JMH with its own options, and {@code --json FILE} as the other benchmarks have it. */
final class JmhCommand {
    private JmhCommand() {}

    public static void main(String[] args) throws CommandLineOptionException, RunnerException {
        List<String> options = new ArrayList<>(Arrays.asList(args));
        try {
            int at = options.indexOf("--json");
            if (at >= 0 && at + 1 == options.size()) {
                throw new IOException("--json needs the name of a file.");
            }
            JsonFile target = at < 0 ? null : JsonFile.of(Path.of(options.get(at + 1)));
            if (at >= 0) {
                options.subList(at, at + 2).clear();
            }
            CommandLineOptions parsed = new CommandLineOptions(options.toArray(String[]::new));
            if (parsed.shouldHelp()) {
                parsed.showHelp();
                return;
            }
            Runner runner = new Runner(parsed);
            if (parsed.shouldList()) {
                runner.list();
                return;
            }
            Collection<RunResult> results = runner.run();
            if (target != null) {
                target.write(json(results));
            }
        } catch (IOException e) {
            System.err.println("jmh: " + e.getMessage());
            System.exit(2);
        }
    }

    private static ObjectNode json(Collection<RunResult> results) {
        int threads = results.stream()
                .mapToInt(result -> result.getParams().getThreads())
                .max()
                .orElse(1);
        ObjectNode json =
                JsonFile.begin(Map.of("jmh", Runner.class.getPackage().getImplementationVersion() + ""), threads);
        ArrayNode list = json.putArray("results");
        for (RunResult result : results) {
            ObjectNode entry =
                    list.addObject().put("benchmark", result.getParams().getBenchmark());
            ObjectNode parameters = entry.putObject("parameters");
            for (String key : result.getParams().getParamsKeys()) {
                parameters.put(key, result.getParams().getParam(key));
            }
            entry.put("mode", result.getParams().getMode().shortLabel())
                    .put("unit", result.getPrimaryResult().getScoreUnit())
                    .put("samples", result.getPrimaryResult().getSampleCount())
                    .put("mean", result.getPrimaryResult().getScore())
                    .put("error", result.getPrimaryResult().getScoreError());
            for (double percentile : new double[] {10, 50, 90}) {
                entry.put(
                        "p" + (int) percentile,
                        result.getPrimaryResult().getStatistics().getPercentile(percentile));
            }
        }
        return json;
    }
}
