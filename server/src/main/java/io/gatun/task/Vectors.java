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

    /**
     * A vector of length 1 in 8 bits: 127 times each value, rounded. The cosine of two such vectors is within some
     * thousandths of what it was.
     */
    public static byte[] int8(float[] vector) {
        byte[] result = new byte[vector.length];
        for (int i = 0; i < vector.length; i++) {
            result[i] = (byte) Math.round(Math.clamp(vector[i], -1f, 1f) * Byte.MAX_VALUE);
        }
        return result;
    }

    /**
     * A bit for each value, 1 where it is above 0, the first in the highest bit of a byte, as {@code numpy.packbits} and
     * sentence-transformers pack them; the last byte ends with zeros.
     *
     * @return bytes without a sign
     */
    public static byte[] bits(float[] vector) {
        byte[] result = new byte[Math.ceilDiv(vector.length, Byte.SIZE)];
        for (int i = 0; i < vector.length; i++) {
            if (vector[i] > 0) {
                result[i / Byte.SIZE] |= (byte) (0x80 >> i % Byte.SIZE);
            }
        }
        return result;
    }

    /** The cosine of the angle between two vectors, from -1 to 1; 0 where one has no length. */
    static float cosine(float[] a, float[] b) {
        double lengths = Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b));
        return lengths == 0 ? 0 : (float) Math.clamp(dot(a, b) / lengths, -1.0, 1.0);
    }

    /** How far two vectors are apart or, where it says so, how near. */
    public enum Distance {
        /** How near: the cosine of the angle, from -1 to 1. */
        COSINE,
        /** How near: the sum of the products of their values. */
        DOT,
        /** How far: the length of their difference. */
        EUCLIDEAN,
        /** How far: the sum of how far their values are apart. */
        MANHATTAN;

        /** Of two vectors of the same width. */
        public float of(float[] a, float[] b) {
            return switch (this) {
                case COSINE -> cosine(a, b);
                case DOT -> (float) dot(a, b);
                case EUCLIDEAN -> euclidean(a, b);
                case MANHATTAN -> manhattan(a, b);
            };
        }
    }

    private static float euclidean(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            double apart = (double) a[i] - b[i];
            sum += apart * apart;
        }
        return (float) Math.sqrt(sum);
    }

    private static float manhattan(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += Math.abs((double) a[i] - b[i]);
        }
        return (float) sum;
    }

    private static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }
}
