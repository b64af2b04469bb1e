package io.gatun.task;

/**
 * Which answers to a question are wanted.
 *
 * @param topK how many at most; at least 1
 * @param maxTokens the most tokens that an answer has; at least 1
 * @param impossible whether that there is none is an answer, too
 * @param alignToWords whether answers begin and end with whole words
 */
public record AnswerSelection(int topK, int maxTokens, boolean impossible, boolean alignToWords) {
    /** As Hugging Face's pipeline has it. */
    public static final AnswerSelection DEFAULT = new AnswerSelection(1, 15, false, true);

    public AnswerSelection {
        if (topK < 1 || maxTokens < 1) {
            throw new IllegalArgumentException(topK + " answers of " + maxTokens + " tokens");
        }
    }

    /** How many spans of each window may become answers: of those that end with whole words several are often one. */
    public long spansPerWindow() {
        return alignToWords ? 2L * topK + 10 : topK;
    }
}
