package io.gatun.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Classifies texts without a server. */
@Command(
        name = "predict",
        description = "Classifies texts: one line of JSON a text, all labels, the best first.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
final class PredictCommand implements Callable<Integer> {
    @Mixin
    private BulkOptions bulk = new BulkOptions();

    @Option(names = "--raw", description = "Logits instead of scores.")
    private boolean raw;

    @Option(
            names = "--stride",
            paramLabel = "N",
            description = "Reads texts of any length in windows that have so many tokens in common.")
    private @Nullable Integer stride;

    @Option(
            names = "--pooling",
            paramLabel = "HOW",
            description = "What a text's windows say together: mean, max, first, or windows, each of them.")
    private @Nullable String pooling;

    @Override
    public Integer call() throws InterruptedException {
        ObjectNode fields = bulk.fields();
        ObjectNode parameters = fields.putObject("parameters").putNull("top_k"); // all labels
        if (raw) {
            parameters.put("function_to_apply", "none");
        }
        if (stride != null) {
            parameters.put("stride", stride);
        }
        if (pooling != null) {
            parameters.put("pooling", pooling);
        }
        return TaskRun.run(bulk, "text-classification", fields);
    }
}
