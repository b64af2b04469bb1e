package io.gatun.task;

import io.gatun.model.Head;

/** A model gave something that is no number; JSON has no word for it and it means nothing. */
public final class NonFiniteLogitsException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NonFiniteLogitsException(String what) {
        super(what + " is not a finite number; the model's weights are damaged.");
    }

    NonFiniteLogitsException(Head head) {
        this("A logit of the head " + head.name());
    }
}
