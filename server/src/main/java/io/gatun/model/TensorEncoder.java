package io.gatun.model;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import io.gatun.kernel.Quantizer;
import io.gatun.kernel.Slab;
import io.gatun.kernel.TensorType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;

/** Turns a tensor of a safetensors file into one of a GGUF file, some rows at a time. */
final class TensorEncoder {
    private static final int CHUNK_BYTES = 4 << 20;

    private TensorEncoder() {}

    /**
     * Encodes a whole tensor.
     *
     * @param rowScale whether a Q8_0 row gets one scale in all its blocks, as linears do: an integer kernel can then
     *     multiply the very integers that the file holds. Otherwise ggml chooses a scale a block.
     */
    static void encode(Weights.Source source, TensorType type, boolean rowScale, MemorySegment target)
            throws IOException {
        int columns = Math.toIntExact(source.tensor().columns());
        long rows = source.tensor().rows();
        int chunk = (int) Math.clamp(CHUNK_BYTES / (4L * columns), 1, rows);
        float[] values = new float[chunk * columns];
        long rowBytes = type.bytes(columns);
        try (Slab slab = Slab.allocate(4L * values.length)) {
            for (long row = 0; row < rows; row += chunk) {
                int count = (int) Math.min(chunk, rows - row);
                source.file().read(source.tensor(), row, count, values);
                MemorySegment out = target.asSlice(row * rowBytes, count * rowBytes);
                if (type == TensorType.Q8_0 && rowScale) {
                    for (int i = 0; i < count; i++) {
                        encodeRow(values, i * columns, columns, out.asSlice(i * rowBytes, rowBytes));
                    }
                } else {
                    MemorySegment.copy(values, 0, slab.segment(), JAVA_FLOAT, 0, count * columns);
                    Quantizer.quantize(type, slab.segment(), out, count, columns);
                }
            }
        }
    }

    /** A row of Q8_0 blocks (a 16-bit scale, then 32 integers), all of one scale: the largest weight becomes ±127. */
    private static void encodeRow(float[] values, int start, int columns, MemorySegment out) {
        float largest = 0;
        for (int i = 0; i < columns; i++) {
            largest = Math.max(largest, Math.abs(values[start + i]));
        }
        short stored = Float.floatToFloat16(largest / 127);
        float scale = Float.float16ToFloat(stored);
        int block = TensorType.Q8_0.blockSize();
        for (int i = 0; i < columns; i++) {
            long at = (long) (i / block) * TensorType.Q8_0.blockBytes();
            if (i % block == 0) {
                out.set(JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), at, stored);
            }
            int quantum = scale == 0 ? 0 : Math.clamp(Math.round(values[start + i] / scale), -127, 127);
            out.set(JAVA_BYTE, at + Short.BYTES + i % block, (byte) quantum);
        }
    }
}
