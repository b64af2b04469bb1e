package io.gatun.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Makes vectors of texts, without a server. */
@Command(
        name = "embed",
        description = "Makes a vector of each text: one line of JSON a text, a list with its vector.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
final class EmbedCommand implements Callable<Integer> {
    @Mixin
    private BulkOptions bulk = new BulkOptions();

    @Option(
            names = "--pooling",
            paramLabel = "HOW",
            description = "How a text's rows become one: mean, cls, last or max (default: as the model's file says).")
    private @Nullable String pooling;

    @Option(names = "--dimensions", paramLabel = "N", description = "Only the first values of each vector.")
    private @Nullable Integer dimensions;

    @Option(names = "--raw", description = "Vectors as they are, and not of length 1.")
    private boolean raw;

    @Override
    public Integer call() throws InterruptedException {
        ObjectNode fields = bulk.fields();
        if (pooling != null) {
            fields.put("pooling", pooling);
        }
        if (dimensions != null) {
            fields.put("dimensions", dimensions);
        }
        fields.put("normalize", !raw);
        return TaskRun.run(bulk, "feature-extraction", fields);
    }
}
