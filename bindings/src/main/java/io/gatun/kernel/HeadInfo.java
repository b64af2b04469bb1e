package io.gatun.kernel;

import java.util.List;

/**
 * One head of a model.
 *
 * @param index its bit in the mask of heads that a sequence asks for
 * @param perToken whether it answers a row of logits a token, and not one a sequence
 * @param layers the layers whose rows it reads side by side; 0 is the embeddings' output
 */
public record HeadInfo(int index, String name, boolean perToken, int labelCount, List<Integer> layers) {
    public HeadInfo {
        layers = List.copyOf(layers);
    }
}
