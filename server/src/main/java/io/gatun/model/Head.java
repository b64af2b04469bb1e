package io.gatun.model;

import java.util.List;
import java.util.OptionalDouble;

/**
 * One head of a model.
 *
 * @param index its place in the model, and its bit where heads are asked for by a mask
 * @param problemType how its logits become scores; of meaning for text classification only
 * @param labels by the place of their logit; none for filling masks, whose logits are the vocabulary's
 * @param activation behind its dense layer: {@code relu}, {@code tanh}, {@code gelu} or {@code gelu_tanh}, or
 *     {@code none} without one
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
    /** What a head may be called, as a part of a sentence. */
    static final String NAMES = "1 to 63 of a-z, 0-9, - and _";

    public Head {
        labels = List.copyOf(labels);
        layers = List.copyOf(layers);
    }

    static boolean isName(String name) {
        return name.matches("[a-z0-9_-]{1,63}");
    }

    Head as(int newIndex, String newName) {
        return new Head(newIndex, newName, task, problemType, labels, activation, layers, threshold);
    }
}
