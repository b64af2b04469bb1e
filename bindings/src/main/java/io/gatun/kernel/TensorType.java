package io.gatun.kernel;

import io.gatun.kernel.generated.ggml_h;
import java.util.Arrays;
import java.util.Optional;

/** How a tensor's numbers are stored: the types of ggml that Gatun reads. */
public enum TensorType {
    F32(ggml_h.GGML_TYPE_F32(), 1, 4),
    F16(ggml_h.GGML_TYPE_F16(), 1, 2),
    BF16(ggml_h.GGML_TYPE_BF16(), 1, 2),
    Q8_0(ggml_h.GGML_TYPE_Q8_0(), 32, 34),
    Q4_0(ggml_h.GGML_TYPE_Q4_0(), 32, 18),
    Q4_1(ggml_h.GGML_TYPE_Q4_1(), 32, 20),
    Q5_0(ggml_h.GGML_TYPE_Q5_0(), 32, 22),
    Q5_1(ggml_h.GGML_TYPE_Q5_1(), 32, 24),
    Q2_K(ggml_h.GGML_TYPE_Q2_K(), 256, 84),
    Q3_K(ggml_h.GGML_TYPE_Q3_K(), 256, 110),
    Q4_K(ggml_h.GGML_TYPE_Q4_K(), 256, 144),
    Q5_K(ggml_h.GGML_TYPE_Q5_K(), 256, 176),
    Q6_K(ggml_h.GGML_TYPE_Q6_K(), 256, 210),
    IQ4_NL(ggml_h.GGML_TYPE_IQ4_NL(), 32, 18);

    private final int id;
    private final int blockSize;
    private final int blockBytes;

    TensorType(int id, int blockSize, int blockBytes) {
        this.id = id;
        this.blockSize = blockSize;
        this.blockBytes = blockBytes;
    }

    /** ggml's number for the type, as GGUF stores it. */
    public int id() {
        return id;
    }

    /** The numbers that one block holds; a row is a whole number of blocks. */
    public int blockSize() {
        return blockSize;
    }

    public int blockBytes() {
        return blockBytes;
    }

    /**
     * The bytes of {@code elements} numbers.
     *
     * @throws IllegalArgumentException when they do not fill whole blocks
     */
    public long bytes(long elements) {
        if (elements < 0 || elements % blockSize != 0) {
            throw new IllegalArgumentException(elements + " numbers do not fill " + this + " blocks of " + blockSize);
        }
        return Math.multiplyExact(elements / blockSize, blockBytes);
    }

    /** The type of that number, if Gatun reads it. */
    public static Optional<TensorType> of(int id) {
        return Arrays.stream(values()).filter(type -> type.id == id).findFirst();
    }
}
