package io.gatun.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Expected texts were taken from tokenizers.decoders.WordPiece. */
final class WordPiecesTest {
    @Test
    void joinsAsTheDecoderDoes() {
        assertThat(WordPieces.join(List.of())).isEmpty();
        assertThat(WordPieces.join(List.of("##ing", "play", "##ing", "##s"))).isEqualTo("##ing playings");
        assertThat(WordPieces.join(List.of("st", ".", "john", "'", "s", ",", "ok", "!", "?", ";", ")")))
                .isEqualTo("st. john ' s, ok!? ; )");
        assertThat(WordPieces.join(List.of("i", "'m", "we", "'ve", "they", "'re", "it", "'s", "does", "n't")))
                .isEqualTo("i'm we've they're it's doesn't");
        assertThat(WordPieces.join(List.of("they", "do not know", "a ' b . c"))).isEqualTo("they don't know a'b. c");
    }
}
