package io.gatun.cli;

import io.gatun.batch.LaneSettings;
import io.gatun.model.TextModel;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What computes, and what may wait for it. */
final class LaneOptions {
    private static final int MAX_LANES = 1024;

    @Option(
            names = "--lanes",
            paramLabel = "N",
            description = "Threads that compute, for each model (default: one a processor).",
            converter = CountConverter.class)
    private @Nullable Integer lanes;

    @Option(
            names = "--memory-limit",
            paramLabel = "SIZE",
            description = "The most native memory that models and lanes may take, like 512m or 2g (default: no limit).",
            converter = MemorySizeConverter.class)
    private @Nullable MemorySize memoryLimit;

    @Option(
            names = "--max-batch-ms",
            paramLabel = "MS",
            description =
                    "How long a batch of several texts may take a lane, and so how long an urgent text may have to "
                            + "wait for others that are computed (default: ${DEFAULT-VALUE}).",
            defaultValue = "20",
            converter = CountConverter.class)
    private int maxBatchMillis;

    @Option(
            names = "--max-queue",
            paramLabel = "N",
            description = "Interactive texts that may wait for a model; 16 times as many bulk ones (default: "
                    + LaneSettings.QUEUED_JOBS_A_LANE + " a lane).",
            converter = CountConverter.class)
    private @Nullable Integer maxQueue;

    @Option(
            names = "--max-queue-tokens",
            paramLabel = "N",
            description = "Tokens of interactive texts that may wait for a model; 16 times as many of bulk ones "
                    + "(default: " + LaneSettings.QUEUED_TOKENS_A_LANE + " a lane).",
            converter = CountConverter.class)
    private @Nullable Integer maxQueueTokens;

    LaneSettings settings(TextModel model) {
        LaneSettings usual = LaneSettings.of(model, lanes());
        return new LaneSettings(
                usual.lanes(),
                usual.limits(),
                Duration.ofMillis(maxBatchMillis),
                maxQueue == null ? usual.maxQueuedJobs() : maxQueue,
                maxQueueTokens == null ? usual.maxQueuedTokens() : maxQueueTokens);
    }

    long memoryLimit() {
        return memoryLimit == null ? Long.MAX_VALUE : memoryLimit.bytes();
    }

    private int lanes() {
        int count = lanes == null ? Runtime.getRuntime().availableProcessors() : lanes;
        if (count > MAX_LANES) {
            throw new CommandException("There cannot be " + count + " lanes; choose 1 to " + MAX_LANES + ".");
        }
        return count;
    }
}
