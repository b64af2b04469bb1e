package io.gatun.service;

import java.util.Arrays;
import java.util.List;

/**
 * What a zero-shot classification asks of its texts.
 *
 * @param labels at least one; one may be there twice
 * @param hypothesisTemplate a sentence with {@code {}} in the place of a label
 * @param multiLabel whether several labels may fit a text
 */
public record ZeroShotOptions(List<String> labels, String hypothesisTemplate, boolean multiLabel) {
    /** Hugging Face's. */
    public static final String HYPOTHESIS_TEMPLATE = "This example is {}.";

    public ZeroShotOptions {
        labels = List.copyOf(labels);
        if (labels.isEmpty()) {
            throw RequestException.validation(
                    "There is no label in \"candidate_labels\"; send at least one, as in [\"sport\", \"politics\"].");
        }
    }

    /** The labels of a text that has commas between them. */
    public static List<String> split(String labels) {
        return Arrays.stream(labels.split(",", -1))
                .map(String::strip)
                .filter(label -> !label.isEmpty())
                .toList();
    }
}
