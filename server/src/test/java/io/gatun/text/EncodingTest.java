package io.gatun.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Truncation as Hugging Face's {@code longest_first}: expected lengths were taken from its library. */
final class EncodingTest {
    @Test
    void keepsWhatFits() {
        Encoding encoding = pair(3, -1);
        assertThat(encoding.truncate(5, TruncationDirection.RIGHT)).isSameAs(encoding);
    }

    @Test
    void aTextLosesItsEndOrItsStart() {
        assertThat(pair(6, -1).truncate(5, TruncationDirection.RIGHT).ids()).containsExactly(-1, 0, 1, 2, -2);
        Encoding left = pair(6, -1).truncate(5, TruncationDirection.LEFT);
        assertThat(left.ids()).containsExactly(-1, 3, 4, 5, -2);
        assertThat(left.starts()).containsExactly(0, 30, 40, 50, 0);
        assertThat(left.special()).containsExactly(true, false, false, false, true);
    }

    @ParameterizedTest
    @CsvSource({
        "10, 10, 13, 5, 5", "10, 10, 14, 5, 6", "10, 3, 13, 7, 3", "3, 10, 13, 3, 7", "2, 20, 13, 2, 8",
        "20, 8, 13, 5, 5", "20, 8, 14, 6, 5", "0, 20, 13, 0, 10", "20, 0, 13, 10, 0", "9, 9, 3, 0, 0"
    })
    void ofAPairTheLongerIsCutFirst(int first, int second, int max, int keptFirst, int keptSecond) {
        Encoding cut = pair(first, second).truncate(max, TruncationDirection.RIGHT);
        int[] expected = new int[keptFirst + keptSecond + 3];
        int at = 0;
        expected[at++] = -1;
        for (int i = 0; i < keptFirst; i++) {
            expected[at++] = i;
        }
        expected[at++] = -2;
        for (int i = 0; i < keptSecond; i++) {
            expected[at++] = 1000 + i;
        }
        expected[at] = -2;
        assertThat(cut.ids()).as(Arrays.toString(cut.ids())).containsExactly(expected);
    }

    @ParameterizedTest
    @CsvSource({"10, 12, 0, 1", "11, 12, 0, 2", "20, 12, 0, 2", "21, 12, 0, 3", "21, 12, 9, 12", "12, 12, 4, 2"})
    void windowsShareTheirStride(int text, int max, int stride, int count) {
        List<Encoding> windows = pair(text, -1).windows(max, stride);
        assertThat(windows).hasSize(count);
        assertThat(pair(text, -1).windowCount(max, stride)).isEqualTo(count);
        for (int i = 0; i < count; i++) {
            int start = i * (max - 2 - stride);
            int end = Math.min(text, start + max - 2);
            assertThat(windows.get(i).ids())
                    .containsExactly(
                            concat(new int[] {-1}, IntStream.range(start, end).toArray(), new int[] {-2}));
        }
    }

    @Test
    void windowsOfAPairCutTheSecond() {
        List<Encoding> windows = pair(2, 5).windows(8, 1);
        assertThat(windows)
                .extracting(Encoding::ids)
                .containsExactly(
                        new int[] {-1, 0, 1, -2, 1000, 1001, 1002, -2}, new int[] {-1, 0, 1, -2, 1002, 1003, 1004, -2});
        assertThatThrownBy(() -> pair(2, 5).windows(8, 3)).isInstanceOf(IllegalArgumentException.class);
    }

    private static int[] concat(int[]... parts) {
        return Stream.of(parts).flatMapToInt(IntStream::of).toArray();
    }

    /** [CLS] 0 1 2 … [SEP], and with a second text 1000 1001 … [SEP]. */
    private static Encoding pair(int first, int second) {
        int length = first + 2 + (second < 0 ? 0 : second + 1);
        Encoding e = new Encoding(
                new int[length],
                new int[length],
                new int[length],
                new int[length],
                new int[length],
                new boolean[length]);
        int at = special(e, 0, -1, 0);
        for (int i = 0; i < first; i++) {
            at = token(e, at, i, 0, i);
        }
        at = special(e, at, -2, 0);
        for (int i = 0; i < second; i++) {
            at = token(e, at, 1000 + i, 1, i);
        }
        if (second >= 0) {
            special(e, at, -2, 1);
        }
        return e;
    }

    private static int special(Encoding e, int at, int id, int type) {
        e.ids()[at] = id;
        e.typeIds()[at] = type;
        e.special()[at] = true;
        return at + 1;
    }

    private static int token(Encoding e, int at, int id, int type, int place) {
        e.ids()[at] = id;
        e.typeIds()[at] = type;
        e.starts()[at] = 10 * place;
        e.ends()[at] = 10 * place + 9;
        return at + 1;
    }
}
