package io.gatun.kernel;

import io.gatun.kernel.generated.gatun_h;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** How a model's linear layers are multiplied; the rest is computed in floats, attention's products partly in bf16. */
public enum Compute {
    /** Weights of 8 bits, and rows quantized to 8 bits as they come. */
    INT8(gatun_h.GT_COMPUTE_INT8()),
    F32(gatun_h.GT_COMPUTE_F32()),
    /** Only where the instruction set in use multiplies bf16: {@link InstructionSet#bf16()}. */
    BF16(gatun_h.GT_COMPUTE_BF16()),
    /**
     * ggml's own graph on the weights as they are in the file: slow, to compare with. Nobody joins its sessions; ggml
     * starts threads of its own for one that is opened for more than one.
     */
    GGML(gatun_h.GT_COMPUTE_GGML());

    private final int code;

    Compute(int code) {
        this.code = code;
    }

    /** The constant of {@code gatun.h}. */
    int code() {
        return code;
    }

    /** The name that users write: {@code int8}, {@code f32}, {@code bf16} or {@code ggml}. */
    public String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The one of that id. */
    public static Optional<Compute> of(String id) {
        return Arrays.stream(values()).filter(c -> c.id().equals(id)).findFirst();
    }

    /** Whether several threads can compute one batch. */
    public boolean joins() {
        return this != GGML;
    }
}
