package io.gatun.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class QuantizerTest {
    private static final int ROWS = 3;
    private static final int COLUMNS = 64;

    @Test
    void halfFloatsAreRoundedAsJavaRoundsThem() {
        float[] values = values();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment halves = quantize(arena, TensorType.F16, values);
            for (int i = 0; i < values.length; i++) {
                assertThat(halves.getAtIndex(ValueLayout.JAVA_SHORT, i)).isEqualTo(Float.floatToFloat16(values[i]));
            }
        }
    }

    @Test
    void eightBitsStayWithinHalfAStep() {
        float[] values = values();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment blocks = quantize(arena, TensorType.Q8_0, values);
            for (int i = 0; i < values.length; i++) {
                long block = i / 32 * 34L;
                float scale = Float.float16ToFloat(blocks.get(ValueLayout.JAVA_SHORT_UNALIGNED, block));
                float value = scale * blocks.get(ValueLayout.JAVA_BYTE, block + 2 + i % 32);
                assertThat(Math.abs(value - values[i])).isLessThanOrEqualTo(scale * 0.6f);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16", "Q8_0", "Q4_0"})
    void refusesSegmentsThatAreTooShort(TensorType type) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment source = arena.allocate(4L * COLUMNS);
            MemorySegment target = arena.allocate(type.bytes(COLUMNS));
            Quantizer.quantize(type, source, target, 1, COLUMNS);
            assertThatIllegalArgumentException().isThrownBy(() -> Quantizer.quantize(type, source, target, 2, COLUMNS));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Quantizer.quantize(type, source, target.asSlice(1), 1, COLUMNS));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16", "Q8_0", "Q4_0"})
    void refusesShapesThatAreNoMatrix(TensorType type) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment source = arena.allocate(4L * COLUMNS);
            MemorySegment target = arena.allocate(4L * COLUMNS);
            assertThatIllegalArgumentException().isThrownBy(() -> Quantizer.quantize(type, source, target, 1, 0));
            assertThatIllegalArgumentException().isThrownBy(() -> Quantizer.quantize(type, source, target, 0, 0));
            assertThatIllegalArgumentException().isThrownBy(() -> Quantizer.quantize(type, source, target, 1, -32));
            assertThatIllegalArgumentException().isThrownBy(() -> Quantizer.quantize(type, source, target, -1, 32));
            assertThatIllegalArgumentException().isThrownBy(() -> Quantizer.quantize(type, source, target, -1, -32));
            assertThatThrownBy(() -> Quantizer.quantize(type, source, target, 1L << 60, 32))
                    .isInstanceOf(ArithmeticException.class);
            assertThatThrownBy(() -> Quantizer.quantize(type, source, target, 1L << 57, 32)) // 2^64 bytes of floats
                    .isInstanceOfAny(IllegalArgumentException.class, ArithmeticException.class);
            Quantizer.quantize(type, source, target, 0, COLUMNS);
            assertThat(target.mismatch(arena.allocate(4L * COLUMNS)))
                    .as("no rows, nothing written")
                    .isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"F32", "F16", "BF16", "Q8_0", "Q4_0"})
    void refusesTypesThatItDoesNotWrite(TensorType type) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment block = arena.allocate(4L * type.blockSize());
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Quantizer.quantize(type, block, block, 1, type.blockSize()));
        }
    }

    private static MemorySegment quantize(Arena arena, TensorType type, float[] values) {
        MemorySegment target = arena.allocate(type.bytes(values.length), 64);
        Quantizer.quantize(type, arena.allocateFrom(ValueLayout.JAVA_FLOAT, values), target, ROWS, COLUMNS);
        return target;
    }

    private static float[] values() {
        Random random = new Random(3);
        float[] values = new float[ROWS * COLUMNS];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
