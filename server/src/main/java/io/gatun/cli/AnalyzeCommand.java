package io.gatun.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Asks all heads of a model at once, without a server. */
@Command(
        name = "analyze",
        description = "Asks all heads at once: one line of JSON a text, an object with what each head says.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
final class AnalyzeCommand implements Callable<Integer> {
    @Mixin
    private BulkOptions bulk = new BulkOptions();

    @Option(names = "--heads", paramLabel = "NAME", split = ",", description = "Only these heads (default: all).")
    private @Nullable List<String> heads;

    @Override
    public Integer call() throws InterruptedException {
        ObjectNode fields = bulk.fields();
        if (heads != null) {
            heads.forEach(fields.putArray("heads")::add);
        }
        return TaskRun.run(bulk, "analyze", fields);
    }
}
