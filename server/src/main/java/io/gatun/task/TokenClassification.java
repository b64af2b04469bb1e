package io.gatun.task;

import io.gatun.model.Head;

/** Logits of a text's tokens to their tags. Thread-safe: it keeps nothing. */
public final class TokenClassification {
    private TokenClassification() {}

    /**
     * The best tag of each token.
     *
     * @param logits {@code [tokens][labels]}, row by row
     * @return {@code [tokens]}: the place of the tag among the head's labels; the first of equals
     * @throws NonFiniteLogitsException when a logit is infinite or no number
     */
    public static int[] tags(Head head, float[] logits) {
        int labels = head.labels().size();
        if (logits.length % labels != 0) {
            throw new IllegalArgumentException(logits.length + " logits in rows of " + labels);
        }
        int[] tags = new int[logits.length / labels];
        for (int token = 0; token < tags.length; token++) {
            int best = token * labels;
            for (int i = token * labels; i < (token + 1) * labels; i++) {
                if (!Float.isFinite(logits[i])) {
                    throw new NonFiniteLogitsException(head);
                }
                best = logits[i] > logits[best] ? i : best;
            }
            tags[token] = best - token * labels;
        }
        return tags;
    }
}
