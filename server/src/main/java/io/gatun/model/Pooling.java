package io.gatun.model;

import java.util.OptionalInt;

/** How a text's rows become one, as {@code bert.pooling_type} of a GGUF file says. */
public enum Pooling {
    MEAN("mean"),
    /** The row of the first token, [CLS]. */
    CLS("cls");

    private final String id;

    Pooling(String id) {
        this.id = id;
    }

    public String id() {
        return id;
    }

    /** By llama.cpp's number: 0 none, 1 mean, 2 cls, 3 last, 4 rank. What says nothing of a text's vector means the mean. */
    static Pooling of(OptionalInt type) {
        return type.orElse(0) == 2 ? CLS : MEAN;
    }
}
