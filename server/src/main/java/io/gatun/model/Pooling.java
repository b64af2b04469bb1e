package io.gatun.model;

import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;

/** How a text's rows become one, as {@code bert.pooling_type} or {@code gatun.pooling} of a GGUF file says. */
public enum Pooling {
    MEAN("mean"),
    /** The row of the first token, [CLS]. */
    CLS("cls"),
    /** The row of the last token, [SEP]. */
    LAST("last"),
    /** Of each dimension its largest value, over all tokens. llama.cpp has no number for it. */
    MAX("max");

    private final String id;

    Pooling(String id) {
        this.id = id;
    }

    public String id() {
        return id;
    }

    /** The pooling of that name. */
    public static Optional<Pooling> named(String id) {
        return Arrays.stream(values()).filter(pooling -> pooling.id.equals(id)).findFirst();
    }

    /** By llama.cpp's number: 0 none, 1 mean, 2 cls, 3 last, 4 rank. What says nothing of a text's vector means the mean. */
    static Pooling of(OptionalInt type) {
        return switch (type.orElse(0)) {
            case 2 -> CLS;
            case 3 -> LAST;
            default -> MEAN;
        };
    }
}
