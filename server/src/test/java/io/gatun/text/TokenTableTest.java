package io.gatun.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class TokenTableTest {
    @Test
    void findsWhatAMapFinds() {
        Random random = new Random(11);
        List<String> tokens = IntStream.range(0, 30_000)
                .mapToObj(i -> "##" + Integer.toString(random.nextInt(40_000), 36) + (char) (0x4e00 + i % 7))
                .toList();
        Map<String, Integer> ids = new HashMap<>();
        for (int id = 0; id < tokens.size(); id++) {
            ids.put(tokens.get(id), id);
        }
        TokenTable table = new TokenTable(tokens, new BitSet());
        for (int id = 0; id < tokens.size(); id++) {
            assertThat(table.tokenOf(id)).isEqualTo(tokens.get(id));
            assertThat(table.idOf(tokens.get(id))).hasValue(ids.getOrDefault(tokens.get(id), -1));
            assertThat(table.idOf(tokens.get(id) + "x")).isEmpty();
        }
    }

    @Test
    void aPlaceThatNoTokenHasIsNotFound() {
        BitSet unused = new BitSet();
        unused.set(1);
        TokenTable table = new TokenTable(List.of("a", "b", "c"), unused);
        assertThat(table.idOf("b")).isEmpty();
        assertThat(table.tokenOf(1)).isEqualTo("b");
        assertThat(table.idOf("c")).hasValue(2);
        assertThatThrownBy(() -> table.tokenOf(3)).isInstanceOf(IndexOutOfBoundsException.class);
    }
}
