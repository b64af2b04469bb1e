package io.gatun.model;

import java.util.Arrays;
import java.util.List;

/** What a head answers. */
public enum Task {
    /** A row of logits a text: {@code [labels]}. */
    TEXT_CLASSIFICATION("text-classification"),
    /** A row of logits a token: {@code [tokens][labels]}. */
    TOKEN_CLASSIFICATION("token-classification"),
    /** How well an answer starts and ends at each token: {@code [tokens][2]}. */
    QUESTION_ANSWERING("question-answering"),
    /** How well each word of the vocabulary fits in each mask, in their order: {@code [masks][vocabulary]}. */
    FILL_MASK("fill-mask");

    /** What a head that answers questions calls its two logits. */
    static final List<String> ANSWER_LABELS = List.of("start", "end");

    private final String id;

    Task(String id) {
        this.id = id;
    }

    /** Hugging Face's name of the task. */
    public String id() {
        return id;
    }

    static Task of(String id) {
        return Arrays.stream(values())
                .filter(task -> task.id.equals(id))
                .findFirst()
                .orElseThrow(() -> new ModelException("The task " + id + " is none that Gatun does."));
    }
}
