package io.gatun.service;

import io.gatun.task.Aggregation;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * How the labels of a text's tokens become entities.
 *
 * @param ignoredLabels that are not answered; of groups without {@code B-} and {@code I-}
 * @param threshold the least score of what is answered
 * @param stride how many tokens two windows of a long text share; without it a text is one window
 */
public record TokenOptions(Aggregation aggregation, Set<String> ignoredLabels, double threshold, OptionalInt stride) {
    /** As Hugging Face's pipeline has it. */
    public static final TokenOptions DEFAULT = new TokenOptions(Aggregation.NONE, Set.of("O"), 0, OptionalInt.empty());

    public TokenOptions {
        ignoredLabels = Set.copyOf(ignoredLabels);
    }

    /**
     * What a request says; what it does not say is as in {@link #DEFAULT}.
     *
     * @throws RequestException when it makes no sense
     */
    public static TokenOptions of(
            Optional<String> strategy,
            Optional<List<String>> ignoredLabels,
            OptionalDouble threshold,
            OptionalInt stride) {
        Aggregation aggregation = strategy.map(TokenOptions::aggregation).orElse(DEFAULT.aggregation);
        if (threshold.isPresent() && !(threshold.getAsDouble() >= 0 && threshold.getAsDouble() <= 1)) {
            throw RequestException.validation("The parameter \"threshold\" must be from 0 to 1.");
        }
        if (stride.isPresent() && stride.getAsInt() < 0) {
            throw RequestException.validation("The parameter \"stride\" must be 0 or more.");
        }
        // Who only leaves the strategy out is answered, by the pipeline, too.
        if (stride.isPresent() && strategy.isPresent() && aggregation == Aggregation.NONE) {
            throw RequestException.validation("The parameter \"stride\" does not go with the aggregation_strategy "
                    + "\"none\"; choose another, such as \"simple\".");
        }
        return new TokenOptions(
                aggregation,
                ignoredLabels.map(Set::copyOf).orElse(DEFAULT.ignoredLabels),
                threshold.orElse(DEFAULT.threshold),
                stride);
    }

    private static Aggregation aggregation(String name) {
        return Aggregation.of(name)
                .orElseThrow(() -> RequestException.validation("The parameter \"aggregation_strategy\" must be one of "
                        + Arrays.stream(Aggregation.values())
                                .map(strategy -> '"' + strategy.name().toLowerCase(Locale.ROOT) + '"')
                                .collect(Collectors.joining(", "))
                        + "."));
    }
}
