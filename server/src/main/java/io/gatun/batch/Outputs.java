package io.gatun.batch;

import io.gatun.model.Head;
import io.gatun.model.Pooling;
import java.util.List;

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
        /** Their mean. */
        MEAN,
        /** That of the first token. */
        FIRST,
        /** That of the last token. */
        LAST,
        /** Of each dimension its largest value. */
        MAX,
        /** One row a token. */
        TOKENS;

        /** One row a text. */
        public static Vectors of(Pooling pooling) {
            return switch (pooling) {
                case MEAN -> MEAN;
                case CLS -> FIRST;
                case LAST -> LAST;
                case MAX -> MAX;
            };
        }
    }

    public static Outputs ofHead(int index) {
        return new Outputs(1 << index, Vectors.NONE);
    }

    public static Outputs ofHeads(List<Head> heads) {
        return new Outputs(heads.stream().mapToInt(head -> 1 << head.index()).reduce(0, (a, b) -> a | b), Vectors.NONE);
    }

    public static Outputs of(Vectors vectors) {
        return new Outputs(0, vectors);
    }

    /** The same heads, and vectors. */
    public Outputs with(Vectors wanted) {
        return new Outputs(heads, wanted);
    }

    boolean isNothing() {
        return heads == 0 && vectors == Vectors.NONE;
    }
}
