package io.gatun.service;

import io.gatun.text.TruncationDirection;

/** What becomes of a text that is longer than the model reads: cut on one side or, if not enabled, refused. */
public record Truncation(boolean enabled, TruncationDirection direction) {
    public static final Truncation NONE = new Truncation(false, TruncationDirection.RIGHT);
    public static final Truncation RIGHT = new Truncation(true, TruncationDirection.RIGHT);
}
