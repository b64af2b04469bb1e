package io.gatun.service;

/** The one who waits for a request's answer, and may leave before it comes. Each door has its own way to notice. */
public interface Caller {
    /** From now until {@link #isAnswered}, {@code action} runs when the caller leaves; at once if it has left. */
    void whenGone(Runnable action);

    /** The caller got its answer; whether it stays is no longer of interest. */
    void isAnswered();
}
