package io.gatun.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gatun.model.Head;
import io.gatun.model.ProblemType;
import io.gatun.model.Task;
import io.gatun.text.Encoding;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

/** The rule by which logits become answers, on logits that are plain to see. */
final class QuestionAnsweringTest {
    private static final Head HEAD = new Head(
            0,
            "answers",
            Task.QUESTION_ANSWERING,
            ProblemType.SINGLE_LABEL_CLASSIFICATION,
            List.of("start", "end"),
            "none",
            List.of(2),
            OptionalDouble.empty());

    private static final String CONTEXT = "Anna 😀😀 lives";
    /** [CLS] q [SEP] Anna 😀 😀 li ##ves [SEP]: the smileys are one word, as are the last two. */
    private static final Encoding WINDOW = new Encoding(
            new int[] {1, 9, 2, 10, 11, 11, 12, 13, 2},
            new int[] {0, 0, 0, 1, 1, 1, 1, 1, 1},
            new int[] {0, 0, 0, 0, 5, 6, 8, 10, 0},
            new int[] {0, 4, 0, 4, 6, 7, 10, 13, 0},
            new int[] {-1, 0, -1, 0, 1, 1, 2, 2, -1},
            new boolean[] {true, false, true, false, false, false, false, false, true});

    @Test
    void anAnswerIsSnappedToWordsInCodePoints() {
        AnswerSpan answer =
                answers(new AnswerSelection(1, 15, false, true), peak(5, 6)).getFirst();
        assertThat(answer.answer()).isEqualTo("😀😀 lives");
        assertThat(answer.start()).isEqualTo(5);
        assertThat(answer.end()).isEqualTo(13);
    }

    @Test
    void orIsAsItsTokensAre() {
        AnswerSpan answer =
                answers(new AnswerSelection(1, 15, false, false), peak(5, 6)).getFirst();
        assertThat(answer.answer()).isEqualTo("😀 li");
        assertThat(answer.start()).isEqualTo(6);
        assertThat(answer.end()).isEqualTo(10);
        assertThat(answer.score()).isCloseTo(1, within(1e-3f));
    }

    @Test
    void spansOfTheSameWordsAreOneAnswer() {
        float[] even = new float[2 * WINDOW.length()];
        List<AnswerSpan> answers = answers(new AnswerSelection(9, 15, false, true), even);
        assertThat(answers.stream().map(AnswerSpan::answer))
                .containsExactlyInAnyOrder("Anna", "Anna 😀😀", "Anna 😀😀 lives", "😀😀", "😀😀 lives", "lives");
        // 15 spans of 5 tokens, each 1/6 · 1/6, since [CLS] has its part
        assertThat(answers.stream().mapToDouble(AnswerSpan::score).sum()).isCloseTo(15 / 36.0, within(1e-6));
        assertThat(answers.getFirst().answer()).isEqualTo("😀😀 lives"); // four of them
        assertThat(answers.getFirst().score()).isCloseTo(4 / 36f, within(1e-6f));
    }

    @Test
    void noAnswerIsLongerThanAskedForOrOfTheQuestion() {
        float[] logits = peak(1, 7);
        logits[2 * 4] = 5;
        logits[2 * 5] = 0;
        AnswerSpan answer =
                answers(new AnswerSelection(1, 3, false, false), logits).getFirst();
        assertThat(answer.start()).isEqualTo(6);
        assertThat(answer.end()).isEqualTo(13);
        answer = answers(new AnswerSelection(1, 4, false, false), logits).getFirst();
        assertThat(answer.answer()).isEqualTo("😀😀 lives");
    }

    @Test
    void thereMayBeNoAnswer() {
        List<AnswerSpan> answers = answers(new AnswerSelection(2, 15, true, true), peak(0, 0), peak(0, 0));
        assertThat(answers.getFirst())
                .isEqualTo(new AnswerSpan(answers.getFirst().score(), 0, 0, ""));
        assertThat(answers.getFirst().score()).isGreaterThan(0.9f);
        // The window that is least sure of it counts.
        answers = answers(new AnswerSelection(9, 15, true, true), peak(0, 0), peak(3, 3));
        assertThat(answers.getFirst().answer()).isEqualTo("Anna");
        assertThat(answers.getLast().answer()).isEmpty();
        assertThat(answers.getLast().score()).isLessThan(1e-3f);
    }

    @Test
    void windowsAddUp() {
        List<AnswerSpan> answers = answers(AnswerSelection.DEFAULT, peak(3, 3), peak(3, 3));
        assertThat(answers).hasSize(1);
        assertThat(answers.getFirst().score()).isCloseTo(2, within(1e-2f));
    }

    @Test
    void aContextWithoutWordsHasTheEmptyAnswer() {
        Encoding window = new Encoding(
                new int[] {1, 9, 2, 2},
                new int[] {0, 0, 0, 1},
                new int[4],
                new int[] {0, 1, 0, 0},
                new int[] {-1, 0, -1, -1},
                new boolean[] {true, false, true, true});
        QuestionAnswering task = new QuestionAnswering(HEAD, "  ", AnswerSelection.DEFAULT);
        task.add(window, new float[8]);
        assertThat(task.answers()).containsExactly(new AnswerSpan(0, 0, 0, ""));
        task = new QuestionAnswering(HEAD, "  ", new AnswerSelection(1, 15, true, true));
        task.add(window, new float[8]);
        assertThat(task.answers()).containsExactly(new AnswerSpan(1, 0, 0, ""));
    }

    @Test
    void damagedModelsAreTold() {
        float[] logits = peak(3, 3);
        logits[1] = Float.NaN;
        assertThatThrownBy(() -> answers(AnswerSelection.DEFAULT, logits)).isInstanceOf(NonFiniteLogitsException.class);
    }

    private static List<AnswerSpan> answers(AnswerSelection selection, float[]... windows) {
        QuestionAnswering task = new QuestionAnswering(HEAD, CONTEXT, selection);
        for (float[] logits : windows) {
            task.add(WINDOW, logits);
        }
        return task.answers();
    }

    /** Sure that an answer starts at one token and ends at another. */
    private static float[] peak(int start, int end) {
        float[] logits = new float[2 * WINDOW.length()];
        Arrays.fill(logits, -5);
        logits[2 * start] = 5;
        logits[2 * end + 1] = 5;
        return logits;
    }
}
