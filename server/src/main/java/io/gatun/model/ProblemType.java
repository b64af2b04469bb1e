package io.gatun.model;

import java.util.Arrays;

/** How the logits of a text classification become scores, as {@code problem_type} of a Hugging Face config says. */
public enum ProblemType {
    /** Softmax over the labels; a sigmoid where there is only one. */
    SINGLE_LABEL_CLASSIFICATION("single_label_classification"),
    /** A sigmoid for each label. */
    MULTI_LABEL_CLASSIFICATION("multi_label_classification"),
    /** The logits as they are. */
    REGRESSION("regression");

    private final String id;

    ProblemType(String id) {
        this.id = id;
    }

    public String id() {
        return id;
    }

    static ProblemType of(String id) {
        return Arrays.stream(values())
                .filter(type -> type.id.equals(id))
                .findFirst()
                .orElseThrow(() -> new ModelException("The problem_type " + id + " is none that Gatun knows."));
    }

    /** What Hugging Face's pipeline does when the config says nothing: one label gets a sigmoid. */
    static ProblemType byLabels(int labels) {
        return labels == 1 ? MULTI_LABEL_CLASSIFICATION : SINGLE_LABEL_CLASSIFICATION;
    }
}
