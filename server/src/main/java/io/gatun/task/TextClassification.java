package io.gatun.task;

import io.gatun.model.Head;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Logits of a text to scores of its labels, by the rule of Hugging Face's {@code TextClassificationPipeline}: the
 * head's {@code problem_type} says which function. Thread-safe: it keeps nothing.
 */
public final class TextClassification {
    private static final Comparator<LabelScore> DESCENDING =
            Comparator.comparingDouble(LabelScore::score).reversed();

    private TextClassification() {}

    /**
     * Scores every label.
     *
     * @param logits {@code [labels]}
     * @param raw whether the logits themselves are wanted
     * @return all labels, the best first; equals stay in the model's order
     * @throws NonFiniteLogitsException when a logit is infinite or no number
     */
    public static List<LabelScore> scores(Head head, float[] logits, boolean raw) {
        if (logits.length != head.labels().size()) {
            throw new IllegalArgumentException(
                    logits.length + " logits for " + head.labels().size() + " labels");
        }
        for (float logit : logits) {
            if (!Float.isFinite(logit)) {
                throw new NonFiniteLogitsException(head);
            }
        }
        double[] scores = raw ? widened(logits) : scores(head, widened(logits));
        List<LabelScore> result = new ArrayList<>(scores.length);
        for (int i = 0; i < scores.length; i++) {
            result.add(new LabelScore((float) scores[i], head.labels().get(i)));
        }
        result.sort(DESCENDING);
        return result;
    }

    private static double[] scores(Head head, double[] logits) {
        return switch (head.problemType()) {
            // softmax over one label is 1 whatever the logit
            case SINGLE_LABEL_CLASSIFICATION -> logits.length == 1 ? sigmoid(logits) : softmax(logits);
            case MULTI_LABEL_CLASSIFICATION -> sigmoid(logits);
            case REGRESSION -> logits;
        };
    }

    /** In place. The largest logit is taken off first, or {@code exp} would overflow above 709. */
    private static double[] softmax(double[] values) {
        double largest = Double.NEGATIVE_INFINITY;
        for (double value : values) {
            largest = Math.max(largest, value);
        }
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.exp(values[i] - largest);
            sum += values[i];
        }
        for (int i = 0; i < values.length; i++) {
            values[i] /= sum;
        }
        return values;
    }

    /** In place. */
    private static double[] sigmoid(double[] values) {
        for (int i = 0; i < values.length; i++) {
            // exp overflows to infinity for very negative logits, and the quotient is then 0, as it should be
            values[i] = 1 / (1 + Math.exp(-values[i]));
        }
        return values;
    }

    private static double[] widened(float[] logits) {
        double[] values = new double[logits.length];
        for (int i = 0; i < logits.length; i++) {
            values[i] = logits[i];
        }
        return values;
    }
}
