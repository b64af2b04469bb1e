package io.gatun.task;

import java.util.Arrays;

/** What is done with vectors of texts. Thread-safe: it keeps nothing. Sums are in double and in the vector's order. */
public final class Vectors {
    private Vectors() {}

    /**
     * The vector itself, after a look at its values.
     *
     * @throws NonFiniteLogitsException when one is infinite or no number
     */
    public static float[] finite(float[] vector) {
        for (float value : vector) {
            if (!Float.isFinite(value)) {
                throw new NonFiniteLogitsException("A value of a vector");
            }
        }
        return vector;
    }

    /** The first values of a vector, for models whose vectors may be cut (Matryoshka representation learning). */
    public static float[] shortened(float[] vector, int dimensions) {
        return dimensions < vector.length ? Arrays.copyOf(vector, dimensions) : vector;
    }

    /** The vector at length 1; one of zeros stays as it is. */
    public static float[] normalized(float[] vector) {
        double length = Math.sqrt(dot(vector, vector));
        if (length == 0) {
            return vector;
        }
        float[] result = new float[vector.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = (float) (vector[i] / length);
        }
        return result;
    }

    /** The cosine of the angle between two vectors, from -1 to 1; 0 where one has no length. */
    public static float cosine(float[] a, float[] b) {
        double lengths = Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b));
        return lengths == 0 ? 0 : (float) Math.clamp(dot(a, b) / lengths, -1.0, 1.0);
    }

    private static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }
}
