package io.gatun.task;

import io.gatun.model.Head;
import io.gatun.text.CodePoints;
import io.gatun.text.Encoding;
import io.gatun.text.WordPieces;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * Logits of tokens to entities, by the rules of Hugging Face's {@code TokenClassificationPipeline} for fast tokenizers
 * of the WordPiece kind. Scores are computed in float, as they are there: where a model is so sure that its scores round
 * to 1, which of them is the largest depends on it. Keeps nothing; as thread-safe as {@code pieces}.
 */
public final class TokenClassification {
    private final Head head;
    private final Aggregation aggregation;
    private final Set<String> ignoredLabels;
    private final IntFunction<String> pieces;
    private final int unknown;

    /**
     * Makes a reader of one head's logits.
     *
     * @param ignoredLabels labels that are not wanted; of groups without {@code B-} and {@code I-}
     * @param pieces the vocabulary's spelling of a token, {@code ##} included
     * @param unknown the token that stands for words which the vocabulary cannot spell
     */
    public TokenClassification(
            Head head, Aggregation aggregation, Set<String> ignoredLabels, IntFunction<String> pieces, int unknown) {
        this.head = head;
        this.aggregation = aggregation;
        this.ignoredLabels = Set.copyOf(ignoredLabels);
        this.pieces = pieces;
        this.unknown = unknown;
    }

    /**
     * What is in one window of a text.
     *
     * @param text the whole text
     * @param window with where its tokens are in the text
     * @param logits {@code [tokens][labels]} row by row
     * @throws NonFiniteLogitsException when a logit is infinite or no number
     */
    public List<Entity> entities(CodePoints text, Encoding window, float[] logits) {
        int labels = head.labels().size();
        if (logits.length != window.length() * labels) {
            throw new IllegalArgumentException(
                    logits.length + " logits for " + window.length() + " tokens of " + labels + " labels");
        }
        return new Window(text, window, logits, labels).entities();
    }

    /**
     * What is in a text of several windows, each of its entities once: of those that overlap the longest stays, and of
     * equals the surest.
     *
     * @param entities of all windows, in their order
     */
    public static List<Entity> withoutOverlaps(List<Entity> entities) {
        List<Entity> sorted = new ArrayList<>(entities);
        sorted.sort(Comparator.comparingInt(Entity::start));
        List<Entity> kept = new ArrayList<>();
        for (Entity entity : sorted) {
            if (kept.isEmpty() || !entity.startsIn(kept.getLast())) {
                kept.add(entity);
            } else if (entity.isBetterThan(kept.getLast())) {
                kept.set(kept.size() - 1, entity);
            }
        }
        return kept;
    }

    /**
     * A token, or the tokens of a word, with the label that they have.
     *
     * @param from the first, counted in the tokens that are in the text
     * @param to behind the last
     */
    private record Unit(int from, int to, String label, float score) {
        /** Whether it goes on where one of that label was. */
        boolean continues(Unit before) {
            return !label.startsWith("B-") && tag(label).equals(tag(before.label));
        }

        private static String tag(String label) {
            return label.startsWith("B-") || label.startsWith("I-") ? label.substring(2) : label;
        }

        /** The group's label: not the tag, which leaves other prefixes in place. */
        String group() {
            return label.substring(label.indexOf('-') + 1);
        }
    }

    private final class Window {
        private final CodePoints text;
        private final Encoding encoding;
        private final float[] logits;
        private final int labels;
        /** Those that are in the text. */
        private final int[] tokens;

        Window(CodePoints text, Encoding encoding, float[] logits, int labels) {
            this.text = text;
            this.encoding = encoding;
            this.logits = logits;
            this.labels = labels;
            this.tokens = IntStream.range(0, encoding.length())
                    .filter(i -> !encoding.special()[i])
                    .toArray();
        }

        List<Entity> entities() {
            List<Unit> units = units();
            List<Entity> entities = new ArrayList<>();
            if (aggregation == Aggregation.NONE) {
                for (Unit unit : units) {
                    if (!ignoredLabels.contains(unit.label)) {
                        int token = tokens[unit.from];
                        entities.add(entity(unit, unit, unit.label, unit.score, token, piece(unit.from)));
                    }
                }
                return entities;
            }
            int first = 0;
            for (int i = 1; i <= units.size(); i++) {
                if (i == units.size() || !units.get(i).continues(units.get(i - 1))) {
                    List<Unit> group = units.subList(first, i);
                    if (!ignoredLabels.contains(group.getFirst().group())) {
                        entities.add(grouped(group));
                    }
                    first = i;
                }
            }
            return entities;
        }

        private Entity grouped(List<Unit> group) {
            double sum = 0;
            for (Unit unit : group) {
                sum += unit.score;
            }
            String word = WordPieces.join(group.stream().map(this::word).toList());
            Unit first = group.getFirst();
            return entity(first, group.getLast(), first.group(), (float) (sum / group.size()), Entity.GROUP, word);
        }

        private Entity entity(Unit first, Unit last, String label, float score, int index, String word) {
            int start = encoding.starts()[tokens[first.from]];
            int end = encoding.ends()[tokens[last.to - 1]];
            return new Entity(label, score, index, word, start, end);
        }

        private List<Unit> units() {
            boolean words = aggregation != Aggregation.NONE && aggregation != Aggregation.SIMPLE;
            List<Unit> units = new ArrayList<>();
            int from = 0;
            for (int i = 1; i <= tokens.length; i++) {
                if (i == tokens.length || !words || !isSubword(i)) {
                    units.add(unit(from, i));
                    from = i;
                }
            }
            return units;
        }

        private Unit unit(int from, int to) {
            float[] scores = switch (aggregation) {
                case NONE, SIMPLE, FIRST -> scores(from);
                case AVERAGE -> average(from, to);
                case MAX -> surest(from, to);
            };
            int best = best(scores);
            return new Unit(from, to, head.labels().get(best), scores[best]);
        }

        private float[] average(int from, int to) {
            float[] sums = scores(from);
            for (int i = from + 1; i < to; i++) {
                float[] more = scores(i);
                for (int label = 0; label < labels; label++) {
                    sums[label] += more[label];
                }
            }
            for (int label = 0; label < labels; label++) {
                sums[label] /= to - from;
            }
            return sums;
        }

        private float[] surest(int from, int to) {
            float[] surest = scores(from);
            for (int i = from + 1; i < to; i++) {
                float[] other = scores(i);
                if (other[best(other)] > surest[best(surest)]) {
                    surest = other;
                }
            }
            return surest;
        }

        /** The softmax of a token's logits. */
        private float[] scores(int token) {
            int row = tokens[token] * labels;
            float largest = Float.NEGATIVE_INFINITY;
            for (int label = 0; label < labels; label++) {
                if (!Float.isFinite(logits[row + label])) {
                    throw new NonFiniteLogitsException(head);
                }
                largest = Math.max(largest, logits[row + label]);
            }
            float[] scores = new float[labels];
            float sum = 0;
            for (int label = 0; label < labels; label++) {
                scores[label] = (float) Math.exp(logits[row + label] - largest);
                sum += scores[label];
            }
            for (int label = 0; label < labels; label++) {
                scores[label] /= sum;
            }
            return scores;
        }

        /** The first of the largest. */
        private int best(float[] scores) {
            int best = 0;
            for (int label = 1; label < labels; label++) {
                best = scores[label] > scores[best] ? label : best;
            }
            return best;
        }

        /**
         * Whether a token goes on with a word: its text is then shorter than its piece, by {@code ##}. So it is also where
         * the tokenizer changed a text's length.
         */
        private boolean isSubword(int token) {
            int at = tokens[token];
            if (encoding.ids()[at] == unknown) {
                return false;
            }
            String piece = pieces.apply(encoding.ids()[at]);
            return piece.codePointCount(0, piece.length()) != encoding.ends()[at] - encoding.starts()[at];
        }

        private String word(Unit unit) {
            return unit.to - unit.from == 1
                    ? piece(unit.from)
                    : WordPieces.join(IntStream.range(unit.from, unit.to)
                            .mapToObj(this::piece)
                            .toList());
        }

        /** The token as the vocabulary spells it or, where it cannot, as the text does. */
        private String piece(int token) {
            int at = tokens[token];
            int id = encoding.ids()[at];
            return id == unknown ? text.piece(encoding.starts()[at], encoding.ends()[at]) : pieces.apply(id);
        }
    }
}
