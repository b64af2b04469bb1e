package io.gatun.task;

import io.gatun.model.Head;
import io.gatun.text.CodePoints;
import io.gatun.text.Encoding;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * Logits of a context's windows to answers, by the rule of Hugging Face's {@code QuestionAnsweringPipeline}: a span's
 * score is the product of two probabilities, that an answer starts at its first token and that one ends at its last,
 * each among the window's tokens of the context and [CLS]. The best spans of each window are snapped to words, and those
 * that read alike, in whatever case, are one answer with the sum of their scores. For one question; used by one thread.
 *
 * <p>Where a context has fewer spans than are asked for, there are fewer answers; the pipeline fills up with spans of
 * score 0 in an order that its numeric library leaves open.
 */
public final class QuestionAnswering {
    private static final Comparator<Span> ASCENDING = Comparator.comparingDouble(Span::score)
            .thenComparing(Comparator.comparingInt(Span::start).reversed())
            .thenComparing(Comparator.comparingInt(Span::end).reversed());

    /** Places of its first and last token in the window. */
    private record Span(int start, int end, double score) {}

    /** Where an answer was first found, and its score so far. */
    private static final class Found {
        final int start;
        final int end;
        final String text;
        double score;

        Found(int start, int end, String text) {
            this.start = start;
            this.end = end;
            this.text = text;
        }
    }

    private final Head head;
    private final CodePoints context;
    private final AnswerSelection selection;
    /** By the answer in lower case, in the order in which they were found. */
    private final Map<String, Found> found = new LinkedHashMap<>();
    /** The least probability, of all windows, that there is no answer. */
    private double impossible = Double.POSITIVE_INFINITY;

    public QuestionAnswering(Head head, String context, AnswerSelection selection) {
        this.head = head;
        this.context = new CodePoints(context);
        this.selection = selection;
    }

    /**
     * Takes the next window into account.
     *
     * @param window of the pair of question and context
     * @param logits {@code [tokens][2]}: how well an answer starts and ends at each
     * @throws NonFiniteLogitsException when a logit is infinite or no number
     */
    public void add(Encoding window, float[] logits) {
        if (logits.length != 2 * window.length()) {
            throw new IllegalArgumentException(logits.length + " logits for " + window.length() + " tokens");
        }
        for (float logit : logits) {
            if (!Float.isFinite(logit)) {
                throw new NonFiniteLogitsException(head);
            }
        }
        double[] starts = probabilities(window, logits, 0);
        double[] ends = probabilities(window, logits, 1);
        impossible = Math.min(impossible, starts[0] * ends[0]);
        for (Span span : best(window, starts, ends)) {
            add(window, span);
        }
    }

    private static boolean isOfContext(Encoding window, int place) {
        return window.typeIds()[place] == 1 && !window.special()[place];
    }

    /** The softmax of each second logit from {@code first} on, over the context and every [CLS]; 0 for other tokens. */
    private static double[] probabilities(Encoding window, float[] logits, int first) {
        boolean[] counts = new boolean[window.length()];
        double largest = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < counts.length; i++) {
            counts[i] = isOfContext(window, i) || window.ids()[i] == window.ids()[0];
            if (counts[i]) {
                largest = Math.max(largest, logits[2 * i + first]);
            }
        }
        double[] values = new double[counts.length];
        double sum = 0;
        for (int i = 0; i < counts.length; i++) {
            if (counts[i]) {
                values[i] = Math.exp(logits[2 * i + first] - largest);
                sum += values[i];
            }
        }
        for (int i = 0; i < values.length; i++) {
            values[i] /= sum;
        }
        return values;
    }

    /** The context's spans of the largest scores, the best first; of equals the one that is first in the text. */
    private List<Span> best(Encoding window, double[] starts, double[] ends) {
        long wanted = selection.spansPerWindow();
        PriorityQueue<Span> best = new PriorityQueue<>(ASCENDING);
        for (int start = 0; start < starts.length; start++) {
            if (!isOfContext(window, start)) {
                continue;
            }
            // The context is behind everything but the last [SEP].
            int last = (int) Math.min(ends.length - 2, (long) start + selection.maxTokens() - 1);
            for (int end = start; end <= last; end++) {
                double score = starts[start] * ends[end];
                // What comes later in the text goes behind its equals.
                if (best.size() < wanted || score > best.element().score) {
                    best.add(new Span(start, end, score));
                    if (best.size() > wanted) {
                        best.remove();
                    }
                }
            }
        }
        List<Span> sorted = new ArrayList<>(best);
        sorted.sort(ASCENDING.reversed());
        return sorted;
    }

    private void add(Encoding window, Span span) {
        int start = window.starts()[span.start];
        int end = window.ends()[span.end];
        if (selection.alignToWords()) {
            // Half a word at a window's edge is all of the word that the window has.
            int firstToken = span.start;
            while (isOfWord(window, firstToken - 1, window.words()[span.start])) {
                firstToken--;
            }
            int lastToken = span.end;
            while (isOfWord(window, lastToken + 1, window.words()[span.end])) {
                lastToken++;
            }
            start = window.starts()[firstToken];
            end = window.ends()[lastToken];
        }
        String text = context.piece(start, end);
        Found answer = found.get(text.toLowerCase(Locale.ROOT));
        if (answer == null) {
            answer = new Found(start, end, text);
            found.put(text.toLowerCase(Locale.ROOT), answer);
        }
        answer.score += span.score;
    }

    private static boolean isOfWord(Encoding window, int place, int word) {
        return isOfContext(window, place) && window.words()[place] == word;
    }

    /** The answers of all windows, the best first; at least one, which is empty where the context holds no words. */
    public List<AnswerSpan> answers() {
        List<Found> answers = new ArrayList<>(found.values());
        if (selection.impossible() || answers.isEmpty()) {
            Found none = new Found(0, 0, "");
            none.score = selection.impossible() ? impossible : 0;
            answers.add(none);
        }
        answers.sort(Comparator.comparingDouble((Found answer) -> answer.score).reversed());
        return answers.stream()
                .limit(selection.topK())
                .map(answer -> new AnswerSpan((float) answer.score, answer.start, answer.end, answer.text))
                .toList();
    }
}
