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
 * @param maxQueuedJobs interactive texts that may wait; {@value #BULK} times as many bulk ones
 * @param maxQueuedTokens tokens of interactive texts that may wait; {@value #BULK} times as many of bulk ones
 */
public record LaneSettings(int lanes, SessionLimits limits, Duration maxBatch, int maxQueuedJobs, int maxQueuedTokens) {
    /** How long a batch may take, unless told otherwise. */
    public static final Duration MAX_BATCH = Duration.ofMillis(20);
    /** Interactive texts that may wait for each lane, unless told otherwise. */
    public static final int QUEUED_JOBS_A_LANE = 1024;
    /** Tokens of interactive texts that may wait for each lane, unless told otherwise: half a second's work or a whole. */
    public static final int QUEUED_TOKENS_A_LANE = 4096;

    private static final int BULK = 16;

    private static final int BATCH_TOKENS = 1024;
    private static final int BATCH_SEQUENCES = 64;

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
                MAX_BATCH,
                lanes * QUEUED_JOBS_A_LANE,
                lanes * QUEUED_TOKENS_A_LANE);
    }

    /** Texts of a priority that may wait. */
    public long maxQueuedJobs(Priority priority) {
        return maxQueuedJobs * (priority == Priority.BULK ? (long) BULK : 1);
    }

    /** Tokens of a priority's texts that may wait. */
    public long maxQueuedTokens(Priority priority) {
        return maxQueuedTokens * (priority == Priority.BULK ? (long) BULK : 1);
    }
}
