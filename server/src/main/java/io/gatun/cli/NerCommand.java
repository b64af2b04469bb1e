package io.gatun.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Finds what heads for tokens find, without a server. */
@Command(
        name = "ner",
        description = "Finds names and passages in texts: one line of JSON a text, what was found with its place.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
final class NerCommand implements Callable<Integer> {
    @Mixin
    private BulkOptions bulk = new BulkOptions();

    @Option(
            names = "--aggregation",
            paramLabel = "HOW",
            description = "How tokens become names: none, simple, first, average or max (default: ${DEFAULT-VALUE}).",
            defaultValue = "simple")
    private String aggregation = "simple";

    @Option(
            names = "--ignore",
            paramLabel = "LABEL",
            split = ",",
            description = "Labels that are not told (default: O).")
    private @Nullable List<String> ignored;

    @Option(names = "--threshold", paramLabel = "SCORE", description = "Only what has at least this score.")
    private @Nullable Double threshold;

    @Option(
            names = "--stride",
            paramLabel = "N",
            description = "Reads texts of any length in windows that have so many tokens in common.")
    private @Nullable Integer stride;

    @Override
    public Integer call() throws InterruptedException {
        ObjectNode fields = bulk.fields();
        ObjectNode parameters = fields.putObject("parameters").put("aggregation_strategy", aggregation);
        if (ignored != null) {
            ignored.forEach(parameters.putArray("ignore_labels")::add);
        }
        if (threshold != null) {
            parameters.put("threshold", threshold);
        }
        if (stride != null) {
            parameters.put("stride", stride);
        }
        return TaskRun.run(bulk, "token-classification", fields);
    }
}
