package io.gatun.kernel;

import java.util.List;

/**
 * One head of a model.
 *
 * @param index its bit in the mask of heads that a sequence asks for
 * @param rows which tokens it answers with a row of logits each
 * @param labelCount logits of a row; of a head that fills masks, the size of the vocabulary
 * @param layers the layers whose rows it reads side by side; 0 is the embeddings' output
 */
public record HeadInfo(int index, String name, Rows rows, int labelCount, List<Integer> layers) {
    /** Which tokens of a sequence a head answers. */
    public enum Rows {
        /** The first: one row a text. */
        PER_TEXT,
        /** All of them. */
        PER_TOKEN,
        /** Those that are the mask token, in their order; there may be none. */
        PER_MASK
    }

    public HeadInfo {
        layers = List.copyOf(layers);
    }
}
