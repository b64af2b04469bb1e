package io.gatun.task;

import java.util.Arrays;
import java.util.Optional;

/** How labels of tokens become entities, named as Hugging Face does. */
public enum Aggregation {
    /** Each token is for itself. */
    NONE,
    /** Neighbours of the same label belong together. */
    SIMPLE,
    /** As {@link #SIMPLE}, and all tokens of a word have the label of its first. */
    FIRST,
    /** As {@link #SIMPLE}, and all tokens of a word have the label that is likeliest on average. */
    AVERAGE,
    /** As {@link #SIMPLE}, and all tokens of a word have the label of the one that is surest. */
    MAX;

    /** By its name, in any case. */
    public static Optional<Aggregation> of(String name) {
        return Arrays.stream(values())
                .filter(strategy -> strategy.name().equalsIgnoreCase(name))
                .findFirst();
    }
}
