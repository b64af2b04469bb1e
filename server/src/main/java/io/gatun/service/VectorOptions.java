package io.gatun.service;

import io.gatun.model.Pooling;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Which vector of a text is wanted.
 *
 * @param pooling how its tokens' rows become one, or nothing: as the model's file says
 * @param normalize whether to bring it to length 1
 * @param dimensions how many of its first values are wanted, or nothing: all
 */
public record VectorOptions(Optional<Pooling> pooling, boolean normalize, OptionalInt dimensions) {
    /** All values, at length 1. */
    public static final VectorOptions UNIT = new VectorOptions(Optional.empty(), true, OptionalInt.empty());

    /** All values, as the model gives them. */
    public static final VectorOptions PLAIN = new VectorOptions(Optional.empty(), false, OptionalInt.empty());
}
