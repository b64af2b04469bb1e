package io.gatun.service;

import io.gatun.text.TruncationDirection;
import java.util.Locale;
import java.util.Optional;

/** What becomes of a text that is longer than the model reads: cut on one side or, if not enabled, refused. */
public record Truncation(boolean enabled, TruncationDirection direction) {
    public static final Truncation NONE = new Truncation(false, TruncationDirection.RIGHT);
    public static final Truncation RIGHT = new Truncation(true, TruncationDirection.RIGHT);

    /**
     * As a client asks for it.
     *
     * @param direction {@code left} or {@code right}, the usual one
     * @throws RequestException for any other direction
     */
    public static Truncation of(boolean enabled, Optional<String> direction) {
        return new Truncation(
                enabled,
                switch (direction.orElse("right").toLowerCase(Locale.ROOT)) {
                    case "left" -> TruncationDirection.LEFT;
                    case "right" -> TruncationDirection.RIGHT;
                    default ->
                        throw RequestException.validation("\"truncation_direction\" must be \"left\" or \"right\".");
                });
    }
}
