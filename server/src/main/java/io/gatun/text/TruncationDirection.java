package io.gatun.text;

/** The side on which a text that is too long loses its tokens. */
public enum TruncationDirection {
    LEFT,
    RIGHT
}
