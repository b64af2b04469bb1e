package io.gatun.bench.peers;

import java.util.List;

/**
 * One engine's logits beside fp32's, over all shapes.
 *
 * @param largestDifference of any logit
 * @param labelsChanged sequences whose larger logit is another than fp32's, although fp32 was sure of it: its logits lie
 *     further apart than the engine's tolerance
 */
record Check(String engine, int threads, float largestDifference, int labelsChanged, float tolerance) {
    /**
     * Compares.
     *
     * @param answers by shape, {@code [sequence][2]}
     * @param expected fp32's, likewise
     */
    static Check of(Engine engine, List<float[][]> answers, List<float[][]> expected) {
        float largest = 0;
        int changed = 0;
        float tolerance = engine.accuracy().tolerance();
        for (int shape = 0; shape < expected.size(); shape++) {
            for (int i = 0; i < expected.get(shape).length; i++) {
                float[] answer = answers.get(shape)[i];
                float[] right = expected.get(shape)[i];
                for (int j = 0; j < right.length; j++) {
                    float difference = Math.abs(answer[j] - right[j]);
                    largest = Float.isFinite(difference) ? Math.max(largest, difference) : Float.POSITIVE_INFINITY;
                }
                boolean sure = Math.abs(right[1] - right[0]) > tolerance;
                changed += sure && answer[1] > answer[0] != right[1] > right[0] ? 1 : 0;
            }
        }
        return new Check(engine.name(), engine.threads(), largest, changed, tolerance);
    }

    boolean passed() {
        return labelsChanged == 0 && largestDifference <= tolerance;
    }
}
