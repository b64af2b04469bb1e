package io.gatun.kernel;

/**
 * The largest batch that a session takes; its memory follows from it.
 *
 * @param maxTokens tokens of all sequences together
 * @param maxSequences at most {@code maxTokens}
 * @param maxThreads threads that compute one batch, the one that runs it included
 * @param maxMasks mask tokens of all sequences that ask a head which fills masks: each gets a row as long as the
 *     vocabulary. Takes no memory where the model has no such head
 */
public record SessionLimits(int maxTokens, int maxSequences, int maxThreads, int maxMasks) {
    /** Masks of a batch, unless told otherwise: some 8 MB of logits with a vocabulary of 30,000. */
    public static final int MAX_MASKS = 64;

    public SessionLimits {
        if (maxSequences < 1 || maxTokens < maxSequences || maxThreads < 1 || maxMasks < 1) {
            throw new IllegalArgumentException(maxSequences + " sequences in " + maxTokens + " tokens with " + maxMasks
                    + " masks on " + maxThreads + " threads");
        }
    }

    /** Limits with the usual number of masks. */
    public SessionLimits(int maxTokens, int maxSequences, int maxThreads) {
        this(maxTokens, maxSequences, maxThreads, MAX_MASKS);
    }

    /** Limits of a session that nobody joins. */
    public SessionLimits(int maxTokens, int maxSequences) {
        this(maxTokens, maxSequences, 1);
    }
}
