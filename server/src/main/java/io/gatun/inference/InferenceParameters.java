package io.gatun.inference;

import io.gatun.service.AnswerOptions;
import io.gatun.service.CallOptions;
import io.gatun.service.FillOptions;
import io.gatun.service.RequestException;
import io.gatun.service.TokenOptions;
import io.gatun.service.Truncation;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the parameters of a request say; those that are not known here are passed over.
 *
 * @param head the head that answers
 * @param truncation what becomes of texts that are too long
 * @param timeout after which nobody wants the answer
 * @param tokens how labels of tokens become entities
 * @param fill which tokens are wanted for masks
 * @param answers how questions are answered
 */
public record InferenceParameters(
        Optional<String> head,
        Truncation truncation,
        Optional<Duration> timeout,
        TokenOptions tokens,
        FillOptions fill,
        AnswerOptions answers) {
    private static final Pattern COMMA = Pattern.compile("\\s*,\\s*");

    /**
     * Reads them. A value is a {@link Boolean}, a {@link Long}, a {@link Double} or a {@link String}.
     *
     * @throws RequestException when one is of the wrong type
     */
    public static InferenceParameters of(Map<String, ?> parameters) {
        Optional<Long> timeout = value(parameters, "timeout", Long.class, "a whole number of microseconds");
        return new InferenceParameters(
                value(parameters, "head", String.class, "a head's name"),
                Truncation.of(
                        value(parameters, "truncate", Boolean.class, "true or false")
                                .orElse(false),
                        value(parameters, "truncation_direction", String.class, "left or right")),
                timeout.filter(micros -> micros > 0).map(micros -> Duration.ofNanos(1000 * Math.min(micros, 1L << 50))),
                tokens(parameters),
                fill(parameters),
                answers(parameters));
    }

    private static TokenOptions tokens(Map<String, ?> parameters) {
        Optional<Number> threshold = value(parameters, "threshold", Number.class, "a number");
        return TokenOptions.of(
                value(parameters, "aggregation_strategy", String.class, "a strategy's name"),
                value(parameters, "ignore_labels", String.class, "labels with commas between them")
                        .map(InferenceParameters::split),
                threshold.map(Number::doubleValue).map(OptionalDouble::of).orElse(OptionalDouble.empty()),
                integer(parameters, "stride"));
    }

    private static AnswerOptions answers(Map<String, ?> parameters) {
        return AnswerOptions.of(
                integer(parameters, "top_k"),
                integer(parameters, "max_answer_len"),
                value(parameters, "handle_impossible_answer", Boolean.class, "true or false")
                        .orElse(false),
                value(parameters, "align_to_words", Boolean.class, "true or false")
                        .orElse(true),
                integer(parameters, "max_seq_len"),
                integer(parameters, "doc_stride"),
                OptionalInt.empty());
    }

    private static OptionalInt integer(Map<String, ?> parameters, String name) {
        return value(parameters, name, Long.class, "a whole number")
                .map(value -> OptionalInt.of(Math.clamp(value, Integer.MIN_VALUE, Integer.MAX_VALUE)))
                .orElse(OptionalInt.empty());
    }

    private static FillOptions fill(Map<String, ?> parameters) {
        int topK = value(parameters, "top_k", Long.class, "a whole number")
                .map(count -> Math.clamp(count, 0, Integer.MAX_VALUE))
                .orElse(FillOptions.DEFAULT.topK());
        return new FillOptions(
                topK,
                value(parameters, "targets", String.class, "words with commas between them")
                        .map(InferenceParameters::split));
    }

    private static List<String> split(String list) {
        return COMMA.splitAsStream(list.strip()).filter(part -> !part.isEmpty()).toList();
    }

    /** The options of the call, with the shorter of both timeouts. */
    public CallOptions with(CallOptions options) {
        if (timeout.isEmpty()
                || options.timeout()
                        .filter(other -> other.compareTo(timeout.get()) < 0)
                        .isPresent()) {
            return options;
        }
        return new CallOptions(options.priority(), timeout);
    }

    private static <T> Optional<T> value(Map<String, ?> parameters, String name, Class<T> type, String what) {
        @Nullable Object value = parameters.get(name);
        if (value != null && !type.isInstance(value)) {
            throw RequestException.validation("The parameter \"" + name + "\" must be " + what + ".");
        }
        return Optional.ofNullable(type.cast(value));
    }
}
