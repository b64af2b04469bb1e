package io.gatun.batch;

import io.gatun.kernel.SessionLimits;
import io.gatun.model.TextModel;

/**
 * How many lanes a model has and how much may wait for them.
 *
 * @param lanes threads that compute, one core each
 * @param limits the largest batch of a lane, and how many lanes compute one together
 * @param maxQueuedJobs texts that may wait
 * @param maxQueuedTokens tokens that may wait
 */
public record LaneSettings(int lanes, SessionLimits limits, int maxQueuedJobs, int maxQueuedTokens) {
    private static final int BATCH_TOKENS = 1024;
    private static final int BATCH_SEQUENCES = 64;
    private static final int QUEUED_JOBS = 4096;
    private static final int QUEUED_TOKENS = 262_144;

    public LaneSettings {
        if (lanes < 1 || maxQueuedJobs < 1 || maxQueuedTokens < 1) {
            throw new IllegalArgumentException(
                    lanes + " lanes, " + maxQueuedJobs + " jobs and " + maxQueuedTokens + " tokens");
        }
    }

    /** The usual bounds; a batch always has room for the model's longest text, and all lanes may join on one. */
    public static LaneSettings of(TextModel model, int lanes) {
        return new LaneSettings(
                lanes,
                new SessionLimits(
                        Math.max(BATCH_TOKENS, model.maxTokens()),
                        BATCH_SEQUENCES,
                        model.kernel().compute().joins() ? lanes : 1),
                QUEUED_JOBS,
                QUEUED_TOKENS);
    }
}
