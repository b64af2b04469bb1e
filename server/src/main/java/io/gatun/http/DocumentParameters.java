package io.gatun.http;

import io.gatun.service.RequestException;
import io.gatun.service.WindowSize;
import io.gatun.task.DocumentClassification;
import java.util.List;
import java.util.Optional;

/**
 * How a text of any length is to be classified.
 *
 * @param pooling of its windows, or nothing: every window's scores are wanted
 * @param passage whether the text that the scores come from is wanted as well
 */
record DocumentParameters(WindowSize size, Optional<DocumentClassification.Pooling> pooling, boolean passage) {
    private static final List<String> NAMES = List.of("stride", "pooling", "return_passage");

    /**
     * Whether a request asks for windows. A max_length alone, of Hugging Face's tokenizers, does not.
     *
     * @throws RequestException when that is no length
     */
    static boolean in(Fields fields) {
        if (fields.integer("max_length").orElse(1) < 1) {
            throw RequestException.validation("The parameter \"max_length\" must be 1 or more.");
        }
        return NAMES.stream().anyMatch(fields::has);
    }

    static DocumentParameters of(Fields fields) {
        return new DocumentParameters(
                new WindowSize(
                        fields.integer("max_length"), fields.integer("stride").orElse(0)),
                pooling(fields.text("pooling").orElse("mean")),
                fields.flag("return_passage", false));
    }

    private static Optional<DocumentClassification.Pooling> pooling(String name) {
        return switch (name) {
            case "mean" -> Optional.of(DocumentClassification.Pooling.MEAN);
            case "max" -> Optional.of(DocumentClassification.Pooling.MAX);
            case "first" -> Optional.of(DocumentClassification.Pooling.FIRST);
            case "windows" -> Optional.empty();
            default ->
                throw RequestException.validation(
                        "The parameter \"pooling\" must be \"mean\", \"max\", \"first\" or \"windows\".");
        };
    }
}
