package io.gatun.bench.peers;

/**
 * Numbers in 8 bits, as ONNX Runtime's {@code quantize_dynamic} stores constants.
 *
 * @param scales one, or one a column
 * @param zeroPoints as many as scales
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Quantized(byte[] values, float[] scales, byte[] zeroPoints) {
    private static final int SIGNED_MAX = 127;
    private static final int UNSIGNED_MAX = 255;

    /**
     * Signed, symmetric, from -127 to 127: what a matrix becomes.
     *
     * @param matrix {@code [rows][columns]}
     * @param perColumn whether each column has a scale of its own
     */
    static Quantized symmetric(float[] matrix, int columns, boolean perColumn) {
        float[] scales = new float[perColumn ? columns : 1];
        for (int i = 0; i < matrix.length; i++) {
            int scale = perColumn ? i % columns : 0;
            scales[scale] = Math.max(scales[scale], Math.abs(matrix[i]));
        }
        for (int i = 0; i < scales.length; i++) {
            scales[i] = scales[i] < Float.MIN_NORMAL * SIGNED_MAX ? 1 : scales[i] / SIGNED_MAX;
        }
        byte[] values = new byte[matrix.length];
        for (int i = 0; i < matrix.length; i++) {
            values[i] =
                    (byte) clamp(Math.rint(matrix[i] / scales[perColumn ? i % columns : 0]), -SIGNED_MAX, SIGNED_MAX);
        }
        return new Quantized(values, scales, new byte[scales.length]);
    }

    /** Unsigned, from 0 to 255 with a zero point: what embeddings become. */
    static Quantized asymmetric(float[] numbers) {
        float least = 0;
        float most = 0;
        for (float number : numbers) {
            least = Math.min(least, number);
            most = Math.max(most, number);
        }
        float range = most - least;
        float scale = range < Float.MIN_NORMAL * UNSIGNED_MAX ? 1 : range / UNSIGNED_MAX;
        double zero = clamp(Math.rint(-least / scale), 0, UNSIGNED_MAX);
        byte[] values = new byte[numbers.length];
        for (int i = 0; i < numbers.length; i++) {
            values[i] = (byte) clamp(Math.rint(numbers[i] / scale) + zero, 0, UNSIGNED_MAX);
        }
        return new Quantized(values, new float[] {scale}, new byte[] {(byte) zero});
    }

    private static int clamp(double value, int least, int most) {
        return (int) Math.clamp(value, least, most);
    }
}
