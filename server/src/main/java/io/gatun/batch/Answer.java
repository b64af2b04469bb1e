package io.gatun.batch;

import io.gatun.model.Head;
import java.util.Map;

/**
 * What the kernel gave for one job.
 *
 * @param logits by the head's index: {@code [labels]} or, row by row, {@code [tokens][labels]} of a head that answers
 *     tokens and {@code [masks][vocabulary]} of one that fills masks
 * @param vectors {@code [width]} or {@code [tokens][width]} row by row, as the job wanted them; empty if it did not
 * @param queuedNanos how long the job waited for a lane
 * @param computedNanos how long its batch ran
 * @param batchTokens tokens of its whole batch
 * @param batchSequences texts of its whole batch
 */
@SuppressWarnings("ArrayRecordComponent") // made once a text, never compared
public record Answer(
        Map<Integer, float[]> logits,
        float[] vectors,
        long queuedNanos,
        long computedNanos,
        int batchTokens,
        int batchSequences) {
    public Answer {
        logits = Map.copyOf(logits);
    }

    /** The logits of a head that the job asked for. */
    public float[] logits(Head head) {
        float[] values = logits.get(head.index());
        if (values == null) {
            throw new IllegalArgumentException("the job did not ask for the head " + head.name());
        }
        return values;
    }
}
