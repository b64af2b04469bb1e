package io.gatun.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gatun.model.Head;
import io.gatun.model.ProblemType;
import io.gatun.model.Task;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class ZeroShotClassificationTest {
    private static final List<float[]> LOGITS =
            List.of(new float[] {2, 0, 1}, new float[] {0, 5, 3}, new float[] {1, 0, 2});

    @Test
    void scoresOfAllLabelsAddUpToOne() {
        // scipy.special.softmax([1, 3, 2])
        List<LabelScore> scores =
                scores(head("contradiction", "neutral", "Entailment"), List.of("a", "b", "c"), LOGITS, false);
        assertThat(scores).extracting(LabelScore::label).containsExactly("b", "c", "a");
        assertThat(scores.get(0).score()).isEqualTo((float) 0.6652409557748219);
        assertThat(scores.get(1).score()).isEqualTo((float) 0.24472847105479767);
        assertThat(scores.get(2).score()).isEqualTo((float) 0.09003057317038046);
    }

    @Test
    void severalMayFit() {
        // scipy.special.softmax([contradiction, entailment])[1] of each
        List<LabelScore> scores =
                scores(head("contradiction", "neutral", "entailment"), List.of("a", "b", "c"), LOGITS, true);
        assertThat(scores).extracting(LabelScore::label).containsExactly("b", "c", "a");
        assertThat(scores.get(0).score()).isEqualTo((float) 0.9525741268224334);
        assertThat(scores.get(1).score()).isEqualTo((float) 0.7310585786300049);
        assertThat(scores.get(2).score()).isEqualTo((float) 0.2689414213699951);
    }

    @Test
    void aLabelAloneIsScoredAgainstItsContradiction() {
        List<LabelScore> scores =
                scores(head("contradiction", "entailment"), List.of("a"), List.of(new float[] {0, 1}), false);
        assertThat(scores.getFirst().score()).isEqualTo((float) 0.7310585786300049);
    }

    @Test
    void entailmentMayComeFirst() {
        List<LabelScore> scores =
                scores(head("ENTAIL", "neutral", "contradiction"), List.of("a"), List.of(new float[] {2, 9, 1}), false);
        assertThat(scores.getFirst().score()).isEqualTo((float) 0.7310585786300049);
    }

    @Test
    void ofLabelsWithoutNamesTheLastEntails() {
        Head head = head("LABEL_0", "LABEL_1", "LABEL_2");
        assertThat(ZeroShotClassification.entailment(head)).isEmpty();
        assertThat(scores(head, List.of("a"), List.of(new float[] {1, 9, 2}), true)
                        .getFirst()
                        .score())
                .isEqualTo((float) 0.7310585786300049);
    }

    @Test
    void aLabelMayBeThereTwiceAndOfEqualsTheLaterIsFirst() {
        List<float[]> logits = List.of(new float[] {0, 1}, new float[] {0, 2}, new float[] {0, 1});
        assertThat(scores(head("contradiction", "entailment"), List.of("a", "a", "b"), logits, true))
                .extracting(LabelScore::label)
                .containsExactly("a", "b", "a");
    }

    @Test
    void extremesStayProbabilities() {
        List<float[]> logits = List.of(new float[] {3e38f, -3e38f}, new float[] {-3e38f, 3e38f});
        for (boolean multi : new boolean[] {false, true}) {
            assertThat(scores(head("contradiction", "entailment"), List.of("a", "b"), logits, multi))
                    .containsExactly(new LabelScore(1, "b"), new LabelScore(0, "a"));
        }
    }

    @Test
    void fiveHundredLabelsAddUpToOne() {
        List<String> labels =
                IntStream.range(0, 500).mapToObj(Integer::toString).toList();
        List<float[]> logits = labels.stream()
                .map(label -> new float[] {0, Integer.parseInt(label) % 7})
                .toList();
        List<LabelScore> scores = scores(head("contradiction", "entailment"), labels, logits, false);
        assertThat(scores.stream().mapToDouble(LabelScore::score).sum()).isCloseTo(1, within(1e-6));
        assertThat(Integer.parseInt(scores.getFirst().label()) % 7).isEqualTo(6);
    }

    @Test
    void whatIsNoNumberIsRefused() {
        assertThatThrownBy(() -> scores(
                        head("contradiction", "entailment"), List.of("a"), List.of(new float[] {0, Float.NaN}), false))
                .isInstanceOf(NonFiniteLogitsException.class);
    }

    private static List<LabelScore> scores(Head head, List<String> labels, List<float[]> logits, boolean multiLabel) {
        return ZeroShotClassification.scores(head, labels, logits, multiLabel);
    }

    private static Head head(String... labels) {
        return new Head(
                0,
                "nli",
                Task.TEXT_CLASSIFICATION,
                ProblemType.SINGLE_LABEL_CLASSIFICATION,
                List.of(labels),
                "none",
                List.of(1),
                OptionalDouble.empty());
    }
}
