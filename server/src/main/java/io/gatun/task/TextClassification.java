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

    /** What makes scores of logits. */
    public enum Function {
        SOFTMAX,
        SIGMOID,
        NONE
    }

    private TextClassification() {}

    /**
     * Scores every label as the head says.
     *
     * @param logits {@code [labels]}
     * @param raw whether the logits themselves are wanted
     * @return all labels, the best first; equals stay in the model's order
     * @throws NonFiniteLogitsException when a logit is infinite or no number
     */
    public static List<LabelScore> scores(Head head, float[] logits, boolean raw) {
        return scores(head, logits, raw ? Function.NONE : function(head));
    }

    /** Scores every label with a function of the caller's. */
    public static List<LabelScore> scores(Head head, float[] logits, Function function) {
        if (logits.length != head.labels().size()) {
            throw new IllegalArgumentException(
                    logits.length + " logits for " + head.labels().size() + " labels");
        }
        return sorted(head, probabilities(head, logits, function));
    }

    /** Scores in the order of the head's labels to those labels, the best first. */
    static List<LabelScore> sorted(Head head, double[] scores) {
        List<LabelScore> result = new ArrayList<>(scores.length);
        for (int i = 0; i < scores.length; i++) {
            result.add(new LabelScore((float) scores[i], head.labels().get(i)));
        }
        result.sort(DESCENDING);
        return result;
    }

    /** The scores in the order of the head's labels, as the head says. */
    public static double[] probabilities(Head head, float[] logits) {
        return probabilities(head, logits, function(head));
    }

    static double[] probabilities(Head head, float[] logits, Function function) {
        double[] values = finite(head, logits);
        return switch (function) {
            case SOFTMAX -> softmax(values);
            case SIGMOID -> sigmoid(values);
            case NONE -> values;
        };
    }

    /** What makes scores of a head's logits, as its {@code problem_type} says. */
    public static Function function(Head head) {
        return switch (head.problemType()) {
            // softmax over one label is 1 whatever the logit
            case SINGLE_LABEL_CLASSIFICATION -> head.labels().size() == 1 ? Function.SIGMOID : Function.SOFTMAX;
            case MULTI_LABEL_CLASSIFICATION -> Function.SIGMOID;
            case REGRESSION -> Function.NONE;
        };
    }

    /** In place. The largest logit is taken off first, or {@code exp} would overflow above 709. */
    static double[] softmax(double[] values) {
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

    /**
     * A copy of a head's logits.
     *
     * @throws NonFiniteLogitsException when one is infinite or no number
     */
    static double[] finite(Head head, float[] logits) {
        double[] values = new double[logits.length];
        for (int i = 0; i < logits.length; i++) {
            if (!Float.isFinite(logits[i])) {
                throw new NonFiniteLogitsException(head);
            }
            values[i] = logits[i];
        }
        return values;
    }
}
