package io.gatun.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.model.Head;
import io.gatun.model.ProblemType;
import io.gatun.model.Task;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class FillMaskTest {
    /** Two masks of a vocabulary of four. */
    private static final float[] LOGITS = {0, 0, 0, 0, 1, 3, 2, -1e30f};

    @Test
    void theBestOfOneMasksRowFirst() {
        // scipy.special.softmax([1, 3, 2])
        assertThat(best(1, 2, null))
                .containsExactly(
                        new FillMask.Candidate(1, (float) 0.6652409557748219),
                        new FillMask.Candidate(2, (float) 0.24472847105479767));
    }

    @Test
    void equalsAreInTheOrderOfTheirIds() {
        assertThat(best(0, 3, null)).extracting(FillMask.Candidate::token).containsExactly(0, 1, 2);
        assertThat(best(0, 4, null)).extracting(FillMask.Candidate::score).containsOnly(0.25f);
    }

    @Test
    void targetsAreScoredAmongAll() {
        assertThat(best(1, 5, new int[] {0, 2, 3}))
                .containsExactly(
                        new FillMask.Candidate(2, (float) 0.24472847105479767),
                        new FillMask.Candidate(0, (float) 0.09003057317038046),
                        new FillMask.Candidate(3, 0));
        assertThat(best(1, 1, new int[] {0, 3}))
                .extracting(FillMask.Candidate::token)
                .containsExactly(0);
    }

    @Test
    void moreThanThereAre() {
        assertThat(best(1, 100, null)).extracting(FillMask.Candidate::token).containsExactly(1, 2, 0, 3);
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void whatIsNoNumberIsRefusedInTheMasksOwnRow(float broken) {
        float[] logits = {0, broken, 1, 2};
        assertThatThrownBy(() -> FillMask.best(head(), logits, 0, 2, 1, Optional.empty()))
                .isInstanceOf(NonFiniteLogitsException.class)
                .hasMessageContaining("words");
        assertThat(FillMask.best(head(), logits, 1, 2, 1, Optional.empty()))
                .extracting(FillMask.Candidate::token)
                .containsExactly(1);
    }

    private static List<FillMask.Candidate> best(int mask, int count, int @Nullable [] targets) {
        return FillMask.best(head(), LOGITS, mask, 4, count, Optional.ofNullable(targets));
    }

    private static Head head() {
        return new Head(
                0,
                "words",
                Task.FILL_MASK,
                ProblemType.SINGLE_LABEL_CLASSIFICATION,
                List.of(),
                "gelu",
                List.of(1),
                OptionalDouble.empty());
    }
}
