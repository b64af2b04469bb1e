package io.gatun.service;

import io.gatun.task.AnswerSelection;
import java.util.OptionalInt;

/**
 * How questions are answered.
 *
 * @param maxSequence the most tokens of question and context together; without it {@value #MAX_SEQUENCE}, or what the
 *     model reads if that is less
 * @param stride how many tokens of the context two windows share; without it {@value #STRIDE}, or half of a sequence if
 *     that is less
 * @param maxHistory the most tokens of earlier questions and answers
 */
public record AnswerOptions(AnswerSelection selection, OptionalInt maxSequence, OptionalInt stride, int maxHistory) {
    private static final int MAX_SEQUENCE = 384;
    private static final int STRIDE = 128;
    private static final int MAX_HISTORY = 64;

    /** As Hugging Face's pipeline has it. */
    public static final AnswerOptions DEFAULT =
            new AnswerOptions(AnswerSelection.DEFAULT, OptionalInt.empty(), OptionalInt.empty(), MAX_HISTORY);

    /**
     * What a request says; what it does not say is as in {@link #DEFAULT}.
     *
     * @throws RequestException when it makes no sense
     */
    public static AnswerOptions of(
            OptionalInt topK,
            OptionalInt maxAnswer,
            boolean impossible,
            boolean alignToWords,
            OptionalInt maxSequence,
            OptionalInt stride,
            OptionalInt maxHistory) {
        check("top_k", topK, 1);
        check("max_answer_len", maxAnswer, 1);
        check("max_seq_len", maxSequence, 1);
        check("doc_stride", stride, 0);
        check("max_history_tokens", maxHistory, 0);
        return new AnswerOptions(
                new AnswerSelection(
                        topK.orElse(AnswerSelection.DEFAULT.topK()),
                        maxAnswer.orElse(AnswerSelection.DEFAULT.maxTokens()),
                        impossible,
                        alignToWords),
                maxSequence,
                stride,
                maxHistory.orElse(MAX_HISTORY));
    }

    private static void check(String name, OptionalInt value, int least) {
        if (value.isPresent() && value.getAsInt() < least) {
            throw RequestException.validation(
                    "The parameter \"" + name + "\" must be " + least + " or more, not " + value.getAsInt() + ".");
        }
    }

    /**
     * The most tokens of a sequence.
     *
     * @param room what the model reads
     * @throws RequestException when more is asked for
     */
    int sequence(int room) {
        if (maxSequence.isPresent() && maxSequence.getAsInt() > room) {
            throw RequestException.validation("The parameter \"max_seq_len\" is " + maxSequence.getAsInt()
                    + ", and the model reads no more than " + room + " tokens; send that or less.");
        }
        return maxSequence.orElse(Math.min(MAX_SEQUENCE, room));
    }

    /**
     * The tokens that two windows share.
     *
     * @throws RequestException when they are more than a sequence has
     */
    int stride(int sequence) {
        if (stride.isPresent() && stride.getAsInt() > sequence) {
            throw RequestException.validation("The parameter \"doc_stride\" is " + stride.getAsInt()
                    + ", more than the " + sequence + " tokens of \"max_seq_len\"; send a smaller one.");
        }
        return stride.orElse(Math.min(sequence / 2, STRIDE));
    }
}
