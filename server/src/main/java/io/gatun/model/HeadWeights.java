package io.gatun.model;

import org.jspecify.annotations.Nullable;

/**
 * A head together with where its weights are in a Hugging Face folder.
 *
 * @param dense the layer before its activation, or null
 * @param output {@code [labels][in]}
 */
record HeadWeights(Head head, @Nullable Linear dense, Linear output) {
    /** A weight {@code [out][in]} with its bias {@code [out]}. */
    record Linear(Weights weights, String name) {}
}
