package io.gatun.model;

import java.util.List;
import java.util.OptionalDouble;

/**
 * One head of a model.
 *
 * @param index its place in the model, and its bit where heads are asked for by a mask
 * @param problemType how its logits become scores; of no meaning for token classification
 * @param labels by the place of their logit
 * @param activation behind its dense layer: {@code relu}, {@code tanh}, {@code gelu}, or {@code none} without one
 * @param layers the layers whose rows it reads side by side; 0 is the embeddings' output
 * @param threshold the score from which a label of a multi-label head counts as given, if the model says one
 */
public record Head(
        int index,
        String name,
        Task task,
        ProblemType problemType,
        List<String> labels,
        String activation,
        List<Integer> layers,
        OptionalDouble threshold) {
    public Head {
        labels = List.copyOf(labels);
        layers = List.copyOf(layers);
    }
}
