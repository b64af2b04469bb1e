package io.gatun.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.model.Head;
import io.gatun.model.ProblemType;
import io.gatun.model.Task;
import io.gatun.text.CodePoints;
import io.gatun.text.Encoding;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** What the golden files of random weights do not come to. */
final class TokenClassificationTest {
    private static final List<String> PIECES =
            List.of("[UNK]", "[CLS]", "[SEP]", "mic", "##ro", "##soft", "works", "x-ray");
    private static final List<String> LABELS = List.of("O", "B-ORG", "I-ORG", "KIND-OF-X");
    private static final String TEXT = "microsoft works 😀😀 x-ray";
    private static final Encoding ENCODING = new Encoding(
            new int[] {1, 3, 4, 5, 6, 0, 7, 2},
            new int[8],
            new int[] {0, 0, 3, 5, 10, 16, 19, 0},
            new int[] {0, 3, 5, 9, 15, 18, 24, 0},
            new int[8],
            new boolean[] {true, false, false, false, false, false, false, true});

    @Test
    void tokensOfAWordThatDisagree() {
        float[] logits = logits(1, 2, 0, 0, 2, 3);
        assertThat(entities(Aggregation.SIMPLE, logits))
                .extracting(Entity::label, Entity::word, Entity::start, Entity::end)
                .containsExactly(
                        tuple("ORG", "micro", 0, 5), tuple("ORG", "😀😀", 16, 18), tuple("OF-X", "x-ray", 19, 24));
        assertThat(entities(Aggregation.FIRST, logits))
                .extracting(Entity::label, Entity::word, Entity::start, Entity::end)
                .startsWith(tuple("ORG", "microsoft", 0, 9));
        assertThat(entities(Aggregation.NONE, logits))
                .extracting(Entity::label, Entity::word, Entity::index)
                .containsExactly(
                        tuple("B-ORG", "mic", 1),
                        tuple("I-ORG", "##ro", 2),
                        tuple("I-ORG", "😀😀", 5),
                        tuple("KIND-OF-X", "x-ray", 6));
    }

    /** In double, the second token would be the surer, and its label the word's. */
    @Test
    void scoresThatRoundToOneAreEqual() {
        float[] logits = logits(1, 0, 1, 0, 0, 0);
        logits[4 + 1] = 40;
        logits[2 * 4] = 60;
        assertThat(entities(Aggregation.MAX, logits).getFirst())
                .isEqualTo(new Entity("ORG", 1, Entity.GROUP, "microsoft", 0, 9));
    }

    @Test
    void averageOfAWord() {
        float[] logits = logits(1, 0, 0, 0, 0, 0);
        assertThat(entities(Aggregation.AVERAGE, logits)).isEmpty();
        for (int label = 0; label < LABELS.size(); label++) {
            logits[2 * 4 + label] = label == 1 ? 0.1f : 0;
            logits[3 * 4 + label] = label == 1 ? 0.1f : 0;
        }
        Entity found = entities(Aggregation.AVERAGE, logits).getFirst();
        // (e^4 / (e^4 + 3) + 2 * e^0.1 / (e^0.1 + 3)) / 3, in float
        assertThat(found.score()).isCloseTo(0.4953f, Offset.offset(1e-3f));
        assertThat(found.word()).isEqualTo("microsoft");
    }

    @Test
    void ofOverlapsTheLongerOrTheSurerStays() {
        Entity first = new Entity("A", 0.9f, Entity.GROUP, "a", 0, 4);
        Entity cut = new Entity("A", 0.99f, Entity.GROUP, "b", 10, 12);
        Entity whole = new Entity("A", 0.5f, Entity.GROUP, "bc", 10, 15);
        Entity within = new Entity("B", 0.8f, Entity.GROUP, "c", 13, 15);
        Entity next = new Entity("B", 0.6f, Entity.GROUP, "d", 15, 16);
        Entity surer = new Entity("C", 0.7f, Entity.GROUP, "d", 15, 16);
        assertThat(TokenClassification.withoutOverlaps(List.of(first, cut, next, within, whole, surer)))
                .containsExactly(first, whole, surer);
        assertThat(TokenClassification.withoutOverlaps(List.of())).isEmpty();
    }

    @Test
    void whatIsNoNumberIsNoAnswer() {
        float[] logits = logits(0, 0, 0, 0, 0, 0);
        logits[9] = Float.NaN;
        assertThatThrownBy(() -> entities(Aggregation.NONE, logits)).isInstanceOf(NonFiniteLogitsException.class);
    }

    private static org.assertj.core.groups.Tuple tuple(Object... values) {
        return org.assertj.core.groups.Tuple.tuple(values);
    }

    /** 4 for the label that each token of the text has. */
    private static float[] logits(int... labels) {
        float[] logits = new float[ENCODING.length() * LABELS.size()];
        for (int i = 0; i < labels.length; i++) {
            logits[(i + 1) * LABELS.size() + labels[i]] = 4;
        }
        return logits;
    }

    private static List<Entity> entities(Aggregation aggregation, float[] logits) {
        Head head = new Head(
                0,
                "tags",
                Task.TOKEN_CLASSIFICATION,
                ProblemType.SINGLE_LABEL_CLASSIFICATION,
                LABELS,
                "none",
                List.of(1),
                OptionalDouble.empty());
        return new TokenClassification(head, aggregation, Set.of("O"), PIECES::get, 0)
                .entities(new CodePoints(TEXT), ENCODING, logits);
    }
}
