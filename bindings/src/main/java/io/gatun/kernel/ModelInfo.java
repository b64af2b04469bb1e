package io.gatun.kernel;

import java.util.OptionalInt;

/**
 * The sizes of a model.
 *
 * @param contextLength tokens of the longest sequence
 * @param embeddingLength the width of a row
 * @param tokenTypeCount kinds of token (segments), at least 1
 * @param maskToken the id that heads which fill masks answer for; empty without such a head
 */
public record ModelInfo(
        int vocabularySize,
        int contextLength,
        int embeddingLength,
        int layerCount,
        int attentionHeadCount,
        int feedForwardLength,
        int tokenTypeCount,
        OptionalInt maskToken) {}
