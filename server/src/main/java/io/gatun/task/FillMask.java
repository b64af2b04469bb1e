package io.gatun.task;

import io.gatun.model.Head;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.stream.IntStream;

/**
 * Logits of the vocabulary to the tokens that fit in a mask best, by the rule of Hugging Face's {@code
 * FillMaskPipeline}: softmax over the whole vocabulary, whichever tokens are asked for. Thread-safe: it keeps nothing.
 */
public final class FillMask {
    /** A token and how likely it is. */
    public record Candidate(int token, float score) {}

    private FillMask() {}

    /**
     * The best tokens for one mask.
     *
     * @param logits {@code [masks][vocabulary]}
     * @param mask whose row is read
     * @param count how many tokens are wanted; there may be fewer
     * @param targets the only tokens that are wanted, each once; without them all
     * @return the best first; of equals the one of the lower id
     * @throws NonFiniteLogitsException when a logit of the row is infinite or no number
     */
    public static List<Candidate> best(
            Head head, float[] logits, int mask, int vocabulary, int count, Optional<int[]> targets) {
        int start = mask * vocabulary;
        double largest = Double.NEGATIVE_INFINITY;
        for (int i = start; i < start + vocabulary; i++) {
            if (!Float.isFinite(logits[i])) {
                throw new NonFiniteLogitsException(head);
            }
            largest = Math.max(largest, logits[i]);
        }
        double sum = 0;
        for (int i = start; i < start + vocabulary; i++) {
            sum += Math.exp(logits[i] - largest);
        }
        List<Candidate> best = new ArrayList<>();
        for (int token : largest(logits, start, count, targets.orElseGet(() -> all(vocabulary)))) {
            best.add(new Candidate(token, (float) (Math.exp(logits[start + token] - largest) / sum)));
        }
        return best;
    }

    private static int[] all(int vocabulary) {
        return IntStream.range(0, vocabulary).toArray();
    }

    /** The tokens of the largest logits, the largest first. */
    private static List<Integer> largest(float[] logits, int start, int count, int[] tokens) {
        Comparator<Integer> byLogit = Comparator.comparingDouble(token -> logits[start + token]);
        Comparator<Integer> worstFirst = byLogit.thenComparing(Comparator.reverseOrder());
        PriorityQueue<Integer> kept = new PriorityQueue<>(worstFirst);
        for (int token : tokens) {
            if (kept.size() < count) {
                kept.add(token);
            } else if (worstFirst.compare(token, kept.element()) > 0) {
                kept.remove();
                kept.add(token);
            }
        }
        List<Integer> largest = new ArrayList<>(kept);
        largest.sort(Collections.reverseOrder(worstFirst));
        return largest;
    }
}
