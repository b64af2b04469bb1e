package io.gatun.task;

import io.gatun.model.Head;
import java.util.ArrayList;
import java.util.List;

/**
 * What a head says of each passage of a document to one verdict. A passage's logits become scores first, and the scores
 * are pooled, each passage as good as another. Thread-safe: it keeps nothing.
 */
public final class DocumentClassification {
    /** How the passages' scores become the document's. */
    public enum Pooling {
        /** Of each label the mean. */
        MEAN,
        /** Of each label the largest: what is said anywhere is said of the whole. Several labels may be sure at once. */
        MAX,
        /** Those of the first passage. */
        FIRST
    }

    /**
     * What is said of a document.
     *
     * @param scores of all labels, the best first
     * @param carrier which of the passages that were pooled says most of the best label
     * @param carried what that passage says of it
     */
    public record Verdict(List<LabelScore> scores, int carrier, LabelScore carried) {
        public Verdict {
            scores = List.copyOf(scores);
        }
    }

    private DocumentClassification() {}

    /**
     * Pools the scores.
     *
     * @param passages at least one
     * @throws NonFiniteLogitsException when a logit is infinite or no number
     */
    public static Verdict verdict(
            Head head, List<Passage> passages, TextClassification.Function function, Pooling pooling) {
        List<Passage> read = pooling == Pooling.FIRST ? passages.subList(0, 1) : passages;
        List<double[]> scores = new ArrayList<>(read.size());
        for (Passage passage : read) {
            scores.add(TextClassification.probabilities(head, passage.logits(), function));
        }
        double[] pooled = new double[head.labels().size()];
        for (int label = 0; label < pooled.length; label++) {
            pooled[label] = pooled(scores, label, pooling);
        }
        int best = 0;
        for (int label = 1; label < pooled.length; label++) {
            best = pooled[label] > pooled[best] ? label : best;
        }
        int carrier = 0;
        for (int i = 1; i < scores.size(); i++) {
            carrier = scores.get(i)[best] > scores.get(carrier)[best] ? i : carrier;
        }
        LabelScore carried =
                new LabelScore((float) scores.get(carrier)[best], head.labels().get(best));
        return new Verdict(TextClassification.sorted(head, pooled), carrier, carried);
    }

    private static double pooled(List<double[]> scores, int label, Pooling pooling) {
        double pooled = scores.getFirst()[label];
        for (double[] score : scores.subList(1, scores.size())) {
            pooled = pooling == Pooling.MAX ? Math.max(pooled, score[label]) : pooled + score[label];
        }
        return pooling == Pooling.MAX ? pooled : pooled / scores.size();
    }
}
