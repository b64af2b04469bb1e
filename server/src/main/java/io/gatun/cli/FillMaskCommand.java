package io.gatun.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Finds words for masks, without a server. */
@Command(
        name = "fill-mask",
        description = "Finds words for the masks of texts: one line of JSON a text, the best words first.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
final class FillMaskCommand implements Callable<Integer> {
    @Mixin
    private BulkOptions bulk = new BulkOptions();

    @Option(names = "--top-k", paramLabel = "N", description = "How many words are wanted (default: 5).")
    private @Nullable Integer topK;

    @Option(names = "--targets", paramLabel = "WORD", split = ",", description = "Only these words.")
    private @Nullable List<String> targets;

    @Override
    public Integer call() throws InterruptedException {
        ObjectNode fields = bulk.fields();
        ObjectNode parameters = fields.putObject("parameters");
        if (topK != null) {
            parameters.put("top_k", topK);
        }
        if (targets != null) {
            targets.forEach(parameters.putArray("targets")::add);
        }
        return TaskRun.run(bulk, "fill-mask", fields);
    }
}
