package io.gatun.service;

import io.gatun.model.Head;
import io.gatun.task.LabelScore;
import io.gatun.task.TextClassification;
import java.util.List;

/**
 * A head's logits for each of a request's texts, in their order.
 *
 * @param logits {@code [labels]} each
 * @param tokens how many tokens each text has
 */
public record Classified(String model, Head head, List<float[]> logits, List<Integer> tokens) {
    /**
     * The scores of every label, the best first.
     *
     * @param raw whether the logits themselves are wanted
     */
    public List<LabelScore> scores(int text, boolean raw) {
        return TextClassification.scores(head, logits.get(text), raw);
    }
}
