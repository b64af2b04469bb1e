package io.gatun.batch;

/**
 * What a job wants of the kernel: at least one of both.
 *
 * @param heads a bit for each head, by its index
 * @param vectors what of the last layer's rows
 */
public record Outputs(int heads, Vectors vectors) {
    /** The last layer's rows, as the job wants them. */
    public enum Vectors {
        NONE,
        /** One row a text, pooled as the model says. */
        POOLED,
        /** One row a token. */
        TOKENS
    }

    public static Outputs ofHead(int index) {
        return new Outputs(1 << index, Vectors.NONE);
    }

    public static Outputs of(Vectors vectors) {
        return new Outputs(0, vectors);
    }

    boolean isNothing() {
        return heads == 0 && vectors == Vectors.NONE;
    }
}
