package io.gatun.task;

/**
 * A part of a document that a head read at once.
 *
 * @param start where it starts in the text, in Unicode code points
 * @param end where it ends, exclusive
 * @param logits {@code [labels]}
 */
@SuppressWarnings("ArrayRecordComponent") // made once a window, never compared
public record Passage(int start, int end, float[] logits) {}
