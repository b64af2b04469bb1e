package io.gatun.task;

import io.gatun.model.Head;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/**
 * What a head that was trained on natural language inference says of a text and hypotheses to scores of the labels that
 * the hypotheses are made of, by the rule of Hugging Face's {@code ZeroShotClassificationPipeline} (Yin, Hay and Roth:
 * "Benchmarking Zero-shot Text Classification", 2019). Thread-safe: it keeps nothing.
 */
public final class ZeroShotClassification {
    private ZeroShotClassification() {}

    /** The place of the label that says that a hypothesis follows, if one of the head's labels tells by its name. */
    public static OptionalInt entailment(Head head) {
        for (int i = 0; i < head.labels().size(); i++) {
            if (head.labels().get(i).toLowerCase(Locale.ROOT).startsWith("entail")) {
                return OptionalInt.of(i);
            }
        }
        return OptionalInt.empty();
    }

    /**
     * Scores every label of one text. Where no label of the head tells by its name, the last one says that a hypothesis
     * follows.
     *
     * @param labels that the hypotheses are made of; one may be there twice
     * @param logits the head's logits for each hypothesis, {@code [labels][head labels]}
     * @param multiLabel whether several labels may fit: each is scored for itself, against its contradiction, as a label
     *     that is alone always is; otherwise the scores add up to 1
     * @return all labels, the best first; of equals the later one, as the pipeline has it
     * @throws NonFiniteLogitsException when a logit is infinite or no number
     */
    public static List<LabelScore> scores(Head head, List<String> labels, List<float[]> logits, boolean multiLabel) {
        int last = head.labels().size() - 1;
        OptionalInt named = entailment(head);
        int entailment = named.orElse(last);
        // That -1 is the last label is Python's; a head's first label otherwise is the contradiction.
        int contradiction = named.isPresent() && entailment == 0 ? last : 0;
        double[] entailments = new double[labels.size()];
        double[] scores = new double[labels.size()];
        for (int i = 0; i < scores.length; i++) {
            double[] values = TextClassification.finite(head, logits.get(i));
            entailments[i] = values[entailment];
            scores[i] = 1 / (1 + Math.exp(values[contradiction] - values[entailment]));
        }
        if (!multiLabel && scores.length > 1) {
            scores = TextClassification.softmax(entailments);
        }
        List<LabelScore> ascending = new ArrayList<>();
        for (int i = 0; i < scores.length; i++) {
            ascending.add(new LabelScore((float) scores[i], labels.get(i)));
        }
        ascending.sort(Comparator.comparingDouble(LabelScore::score));
        Collections.reverse(ascending);
        return ascending;
    }
}
