package io.gatun.kernel;

import io.gatun.kernel.generated.ggml_h;
import java.lang.foreign.MemorySegment;

/** ggml's own conversion of 32-bit floats to a tensor type. Stateless; any thread. */
public final class Quantizer {
    private Quantizer() {}

    /**
     * Converts a matrix.
     *
     * @param type F32, F16, BF16, Q8_0 or Q4_0
     * @param source float[rows][columns], native
     * @param target of at least {@code type.bytes(rows * columns)} bytes, native
     * @param columns a whole number of the type's blocks
     */
    public static void quantize(TensorType type, MemorySegment source, MemorySegment target, long rows, long columns) {
        switch (type) {
            case F32, F16, BF16, Q8_0, Q4_0 -> {}
            default -> throw new IllegalArgumentException("no conversion to " + type);
        }
        if (rows < 0 || columns < 1 || columns % type.blockSize() != 0) {
            throw new IllegalArgumentException(
                    rows + " rows of " + columns + " numbers do not fill " + type + " blocks");
        }
        long elements = Math.multiplyExact(rows, columns);
        if (!source.isNative() || !target.isNative()) {
            throw new IllegalArgumentException("both segments must be native");
        }
        if (source.byteSize() < elements * Float.BYTES || target.byteSize() < type.bytes(elements)) {
            throw new IllegalArgumentException("a segment is shorter than " + rows + " rows of " + columns);
        }
        Kernel.load();
        if (rows > 0) {
            ggml_h.gt_ggml_quantize_chunk(type.id(), source, target, 0, rows, columns, MemorySegment.NULL);
        }
    }
}
