package io.gatun.bench.peers;

/**
 * How far an engine's logits may be from fp32's. The default model's run from about -3 to 3. In 8 bits with one scale a
 * matrix, as ONNX Runtime's fused form has it, they were seen 0.6 away, with a scale a row 0.1 to 0.3; in bf16 0.02.
 */
enum Accuracy {
    FP32(1e-3f),
    BF16(0.1f),
    /** 8 bits with a scale a row of weights and one for each 768 columns of a row. */
    GATUN_INT8(0.25f),
    INT8(0.75f);

    private final float tolerance;

    Accuracy(float tolerance) {
        this.tolerance = tolerance;
    }

    float tolerance() {
        return tolerance;
    }
}
