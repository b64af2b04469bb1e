package io.gatun.service;

/**
 * A token and the piece of its text that it stands for.
 *
 * @param text the piece or, of a special token, its name
 * @param special whether it was added and is not in the text
 * @param start where it starts in its text, in code points; of no meaning for special tokens
 * @param end where it ends, exclusive
 */
public record Token(int id, String text, boolean special, int start, int end) {}
