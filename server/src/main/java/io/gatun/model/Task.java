package io.gatun.model;

import java.util.Arrays;

/** What a head answers. */
public enum Task {
    TEXT_CLASSIFICATION("text-classification"),
    TOKEN_CLASSIFICATION("token-classification");

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
