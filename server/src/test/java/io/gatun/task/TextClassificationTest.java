package io.gatun.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.model.Head;
import io.gatun.model.ProblemType;
import io.gatun.model.Task;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TextClassificationTest {
    @Test
    void singleLabelIsSoftmaxBestFirst() {
        // scipy.special.softmax([1, 3, 2])
        List<LabelScore> scores = scores(ProblemType.SINGLE_LABEL_CLASSIFICATION, false, 1, 3, 2);
        assertThat(scores).extracting(LabelScore::label).containsExactly("b", "c", "a");
        assertThat(scores.get(0).score()).isEqualTo((float) 0.6652409557748219);
        assertThat(scores.get(1).score()).isEqualTo((float) 0.24472847105479767);
        assertThat(scores.get(2).score()).isEqualTo((float) 0.09003057317038046);
    }

    @Test
    void multiLabelIsSigmoidOfEach() {
        // scipy.special.expit
        List<LabelScore> scores = scores(ProblemType.MULTI_LABEL_CLASSIFICATION, false, -1, 0, 2);
        assertThat(scores).extracting(LabelScore::label).containsExactly("c", "b", "a");
        assertThat(scores.get(0).score()).isEqualTo((float) 0.8807970779778823);
        assertThat(scores.get(1).score()).isEqualTo(0.5f);
        assertThat(scores.get(2).score()).isEqualTo((float) 0.2689414213699951);
    }

    @Test
    void oneLabelIsASigmoidWhateverTheProblemSays() {
        // scipy.special.expit(2)
        for (ProblemType type :
                new ProblemType[] {ProblemType.SINGLE_LABEL_CLASSIFICATION, ProblemType.MULTI_LABEL_CLASSIFICATION}) {
            assertThat(scores(type, false, 2)).containsExactly(new LabelScore((float) 0.8807970779778823, "a"));
        }
    }

    @Test
    void regressionAndRawScoresAreTheLogits() {
        for (ProblemType type : ProblemType.values()) {
            assertThat(scores(type, true, -1.5f, 7.25f))
                    .containsExactly(new LabelScore(7.25f, "b"), new LabelScore(-1.5f, "a"));
        }
        assertThat(scores(ProblemType.REGRESSION, false, -3.5f)).containsExactly(new LabelScore(-3.5f, "a"));
    }

    @Test
    void extremesStayProbabilities() {
        assertThat(scores(ProblemType.SINGLE_LABEL_CLASSIFICATION, false, 3e38f, -3e38f))
                .containsExactly(new LabelScore(1f, "a"), new LabelScore(0f, "b"));
        assertThat(scores(ProblemType.SINGLE_LABEL_CLASSIFICATION, false, -3e38f, -3e38f))
                .containsExactly(new LabelScore(0.5f, "a"), new LabelScore(0.5f, "b"));
        assertThat(scores(ProblemType.MULTI_LABEL_CLASSIFICATION, false, 3e38f, -3e38f))
                .containsExactly(new LabelScore(1f, "a"), new LabelScore(0f, "b"));
    }

    @Test
    void equalsKeepTheModelsOrder() {
        assertThat(scores(ProblemType.MULTI_LABEL_CLASSIFICATION, false, 1, 2, 1, 2))
                .extracting(LabelScore::label)
                .containsExactly("b", "d", "a", "c");
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void whatIsNoNumberIsRefused(float broken) {
        for (ProblemType type : ProblemType.values()) {
            assertThatThrownBy(() -> scores(type, false, 1, broken))
                    .isInstanceOf(NonFiniteLogitsException.class)
                    .hasMessageContaining("head-name");
            assertThatThrownBy(() -> scores(type, true, broken)).isInstanceOf(NonFiniteLogitsException.class);
        }
    }

    private static List<LabelScore> scores(ProblemType type, boolean raw, float... logits) {
        return TextClassification.scores(head(type, logits.length), logits, raw);
    }

    private static Head head(ProblemType type, int labels) {
        return new Head(
                0,
                "head-name",
                Task.TEXT_CLASSIFICATION,
                type,
                IntStream.range(0, labels)
                        .mapToObj(i -> Character.toString('a' + i))
                        .toList(),
                "none",
                List.of(1),
                OptionalDouble.empty());
    }
}
