package io.gatun.batch;

/** Which of two requests goes first. */
public enum Priority {
    /** Someone waits for the answer. */
    INTERACTIVE,
    /** Many texts, of which nobody waits for any one. Goes behind what is interactive, but never waits for ever. */
    BULK
}
