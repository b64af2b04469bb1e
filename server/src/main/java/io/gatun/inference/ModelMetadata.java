package io.gatun.inference;

import java.util.List;

/** What a model takes and gives. */
public record ModelMetadata(String name, List<Tensor> inputs, List<Tensor> outputs) {
    /** The only one that a model has. */
    public static final String VERSION = "1";
    /** What runs it. */
    public static final String PLATFORM = "gatun";

    /**
     * A tensor.
     *
     * @param shape -1 where any size goes
     * @param optional whether a request may leave it out
     */
    public record Tensor(String name, Datatype datatype, List<Long> shape, boolean optional) {}
}
