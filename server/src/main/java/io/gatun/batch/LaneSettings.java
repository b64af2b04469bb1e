package io.gatun.batch;

import io.gatun.kernel.SessionLimits;
import io.gatun.model.TextModel;
import java.time.Duration;

/**
 * How many lanes a model has and how much may wait for them.
 *
 * @param lanes threads that compute, one core each
 * @param limits the largest batch of a lane, and how many lanes compute one together
 * @param maxBatch how long a batch of several texts may take one lane
 * @param maxQueuedJobs texts of one priority that may wait
 * @param maxQueuedTokens tokens of one priority that may wait
 */
public record LaneSettings(int lanes, SessionLimits limits, Duration maxBatch, int maxQueuedJobs, int maxQueuedTokens) {
    /** How long a batch may take, unless told otherwise. */
    public static final Duration MAX_BATCH = Duration.ofMillis(20);
    /** Texts of one priority that may wait, unless told otherwise. */
    public static final int MAX_QUEUED_JOBS = 4096;
    /** Tokens of one priority that may wait, unless told otherwise. */
    public static final int MAX_QUEUED_TOKENS = 131_072;

    private static final int BATCH_TOKENS = 1024;
    private static final int BATCH_SEQUENCES = 64;

    public LaneSettings {
        if (lanes < 1 || maxQueuedJobs < 1 || maxQueuedTokens < 1) {
            throw new IllegalArgumentException(
                    lanes + " lanes, " + maxQueuedJobs + " jobs and " + maxQueuedTokens + " tokens");
        }
    }

    /** The usual bounds. */
    public static LaneSettings of(TextModel model, int lanes) {
        return of(model, lanes, MAX_BATCH, MAX_QUEUED_JOBS, MAX_QUEUED_TOKENS);
    }

    /** A batch always has room for the model's longest text, and all lanes may join on one. */
    public static LaneSettings of(
            TextModel model, int lanes, Duration maxBatch, int maxQueuedJobs, int maxQueuedTokens) {
        return new LaneSettings(
                lanes,
                new SessionLimits(
                        Math.max(BATCH_TOKENS, model.maxTokens()),
                        BATCH_SEQUENCES,
                        model.kernel().compute().joins() ? lanes : 1),
                maxBatch,
                maxQueuedJobs,
                maxQueuedTokens);
    }
}
