package io.gatun.kernel;

/**
 * The largest batch that a session takes; its memory follows from it.
 *
 * @param maxTokens tokens of all sequences together
 * @param maxSequences at most {@code maxTokens}
 * @param maxThreads threads that compute one batch, the one that runs it included
 */
public record SessionLimits(int maxTokens, int maxSequences, int maxThreads) {
    public SessionLimits {
        if (maxSequences < 1 || maxTokens < maxSequences || maxThreads < 1) {
            throw new IllegalArgumentException(
                    maxSequences + " sequences in " + maxTokens + " tokens on " + maxThreads + " threads");
        }
    }

    /** Limits of a session that nobody joins. */
    public SessionLimits(int maxTokens, int maxSequences) {
        this(maxTokens, maxSequences, 1);
    }
}
