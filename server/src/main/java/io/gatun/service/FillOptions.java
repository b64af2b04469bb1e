package io.gatun.service;

import java.util.List;
import java.util.Optional;

/**
 * Which tokens are wanted for a mask.
 *
 * @param topK how many at most
 * @param targets the only ones that are wanted: tokens of the vocabulary or, where it has none of that spelling, texts
 *     whose first token counts; without them all
 */
public record FillOptions(int topK, Optional<List<String>> targets) {
    /** As Hugging Face's pipeline has it. */
    public static final FillOptions DEFAULT = new FillOptions(5, Optional.empty());

    public FillOptions {
        if (topK < 1) {
            throw RequestException.validation("The parameter \"top_k\" must be above 0.");
        }
        targets = targets.map(List::copyOf);
        if (targets.isPresent() && targets.get().isEmpty()) {
            throw RequestException.validation(
                    "The list \"targets\" is empty; send at least one, or leave it out for all tokens.");
        }
    }
}
