package io.gatun.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TokenizerTest {
    private static Tokenizer tokenizer;

    @BeforeAll
    static void open() {
        tokenizer = Tokenizer.fromJson(Path.of("src/test/resources/io/gatun/text/cased/tokenizer.json"));
    }

    @AfterAll
    static void close() {
        tokenizer.close();
    }

    @ParameterizedTest
    @CsvSource({"\\ud800, 0", "ab\\ud800c, 2", "\\udc00, 0", "x\\udc00\\ud800, 1", "\\ud83d\\ude00\\ud83d, 1"})
    void halfASurrogatePairIsRefusedByItsPosition(String escaped, int position) {
        String text = unescape(escaped);
        assertThatThrownBy(() -> tokenizer.encode(text, true))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("position " + position + " ");
        assertThatThrownBy(() -> tokenizer.encodePair("a", text)).isInstanceOf(TokenizerException.class);
    }

    @Test
    void offsetsCountCodePoints() {
        Encoding encoding = tokenizer.encode("\ud83d\ude00 a", false);
        assertThat(encoding.starts()).containsExactly(0, 2);
        assertThat(encoding.ends()).containsExactly(1, 3);
    }

    @Test
    void threadsShareIt() throws Exception {
        int[] alone = tokenizer.encode("The quick brown fox", true).ids();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Future<int[]> ids : IntStream.range(0, 200)
                    .mapToObj(i -> threads.submit(
                            () -> tokenizer.encode("The quick brown fox", true).ids()))
                    .toList()) {
                assertThat(ids.get()).containsExactly(alone);
            }
        }
    }

    @Test
    void whatIsNoTokenizerIsOneSentence() {
        assertThatThrownBy(() -> Tokenizer.fromJson(Path.of("src/test/resources/io/gatun/README.md")))
                .isInstanceOf(TokenizerException.class);
        assertThatThrownBy(() -> Tokenizer.fromJson(Path.of("missing.json")))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("missing.json");
    }

    @Test
    void tokensAndIdsFindEachOther() {
        assertThat(tokenizer.idOf("[MASK]").orElseThrow())
                .isEqualTo(tokenizer.encode("[MASK]", false).ids()[0]);
        int[] ids = tokenizer.encode("An unaffordable caf\u00e9 \u4e2d", false).ids();
        for (int id : ids) {
            assertThat(tokenizer.idOf(tokenizer.tokenOf(id))).hasValue(id);
            assertThat(tokenizer.tokenOf(id)).isEqualTo(tokenizer.decode(new int[] {id}, false));
        }
        assertThat(tokenizer.idOf("no such token")).isEmpty();
        assertThat(tokenizer.idOf("")).isEmpty();
        assertThatThrownBy(() -> tokenizer.tokenOf(-1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> tokenizer.tokenOf(1 << 30)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    private static String unescape(String text) {
        StringBuilder plain = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            if (text.startsWith("\\u", i)) {
                plain.append((char) Integer.parseInt(text.substring(i + 2, i + 6), 16));
                i += 5;
            } else {
                plain.append(text.charAt(i));
            }
        }
        return plain.toString();
    }
}
