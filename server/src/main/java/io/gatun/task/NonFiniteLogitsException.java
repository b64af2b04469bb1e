package io.gatun.task;

import io.gatun.model.Head;

/** A model gave something that is no number; JSON has no word for it and it means nothing. */
public final class NonFiniteLogitsException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NonFiniteLogitsException(Head head) {
        super("The head " + head.name() + " gave a logit that is not a finite number; its weights are damaged.");
    }
}
