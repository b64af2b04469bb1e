package io.gatun.inference;

/**
 * What a model was asked through this protocol since the process began.
 *
 * @param lastInference milliseconds since 1970; 0: never
 * @param inferences texts that were answered
 * @param executions requests that were answered; several may have shared a batch
 */
public record ModelStatistics(
        String name,
        long lastInference,
        long inferences,
        long executions,
        Times success,
        Times fail,
        Times queue,
        Times input,
        Times inference) {
    /** How often, and nanoseconds of all together. */
    public record Times(long count, long nanos) {}
}
