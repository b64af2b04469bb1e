package io.gatun.service;

import java.util.OptionalInt;

/**
 * How a text of any length is cut into windows that a model reads one by one.
 *
 * @param tokens of a window, special tokens included, or nothing: as many as the model reads
 * @param stride how many tokens of the text a window has in common with the one before it
 */
public record WindowSize(OptionalInt tokens, int stride) {}
