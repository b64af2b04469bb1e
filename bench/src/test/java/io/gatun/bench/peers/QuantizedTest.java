package io.gatun.bench.peers;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class QuantizedTest {
    @Test
    void symmetric() {
        float[] matrix = {1, -10, 0.5f, 5}; // two rows of two
        Quantized whole = Quantized.symmetric(matrix, 2, false);
        assertThat(whole.scales()).containsExactly(10 / 127f);
        assertThat(whole.values()).containsExactly(13, -127, 6, 64);
        assertThat(whole.zeroPoints()).containsExactly(0);
        Quantized columns = Quantized.symmetric(matrix, 2, true);
        assertThat(columns.scales()).containsExactly(1 / 127f, 10 / 127f);
        assertThat(columns.values()).containsExactly(127, -127, 64, 64);
    }

    @Test
    void asymmetricKeepsZero() {
        Quantized numbers = Quantized.asymmetric(new float[] {-1, 0, 2});
        assertThat(numbers.scales()).containsExactly(3 / 255f);
        assertThat(numbers.zeroPoints()).containsExactly(85);
        assertThat(numbers.values()).containsExactly(0, 85, (byte) 255);
        assertThat(Quantized.asymmetric(new float[] {0, 0}).scales()).containsExactly(1);
    }
}
