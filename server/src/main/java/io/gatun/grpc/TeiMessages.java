package io.gatun.grpc;

import io.gatun.grpc.tei.Metadata;
import io.gatun.grpc.tei.TruncationDirection;
import io.gatun.service.Input;
import io.gatun.service.RequestException;
import io.gatun.service.Timings;
import io.gatun.service.Truncation;

/** What text-embeddings-inference's messages have in common. */
final class TeiMessages {
    private TeiMessages() {}

    static Truncation truncation(boolean enabled, TruncationDirection direction) {
        return new Truncation(
                enabled,
                switch (direction) {
                    case TRUNCATION_DIRECTION_RIGHT -> io.gatun.text.TruncationDirection.RIGHT;
                    case TRUNCATION_DIRECTION_LEFT -> io.gatun.text.TruncationDirection.LEFT;
                    case UNRECOGNIZED ->
                        throw RequestException.validation("The truncation_direction is 0, right, or 1, left.");
                });
    }

    /** {@code name}: of a text that a model's folder may define to be put before the inputs. */
    static void checkPrompt(boolean named, String name) {
        if (named) {
            throw RequestException.validation(
                    "There is no prompt \"" + name + "\", as no model here has any; leave prompt_name out.");
        }
    }

    /** {@code characters}: of the inputs, in code points. */
    static Metadata metadata(Timings timings, long characters) {
        return Metadata.newBuilder()
                .setComputeChars((int) characters)
                .setComputeTokens(timings.tokens())
                .setTotalTimeNs(timings.totalNanos())
                .setTokenizationTimeNs(timings.tokenizationNanos())
                .setQueueTimeNs(timings.queueNanos())
                .setInferenceTimeNs(timings.inferenceNanos())
                .build();
    }

    static long codePoints(Input input) {
        return switch (input) {
            case Input.Text(String text) -> codePoints(text);
            case Input.Pair(String first, String second) -> codePoints(first) + codePoints(second);
            case Input.Tokens tokens -> 0;
        };
    }

    static long codePoints(String text) {
        return text.codePointCount(0, text.length());
    }
}
