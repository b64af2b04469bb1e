package io.gatun.kernel;

/**
 * The largest batch that a session takes; its memory follows from it.
 *
 * @param maxTokens tokens of all sequences together
 * @param maxSequences at most {@code maxTokens}
 */
public record SessionLimits(int maxTokens, int maxSequences) {
    public SessionLimits {
        if (maxSequences < 1 || maxTokens < maxSequences) {
            throw new IllegalArgumentException(maxSequences + " sequences in " + maxTokens + " tokens");
        }
    }
}
