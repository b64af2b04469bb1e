package io.gatun.edge;

import org.jspecify.annotations.Nullable;

/** A file or an option cannot be used, in one sentence for the one who started the server. */
public final class EdgeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    EdgeException(String message) {
        this(message, null);
    }

    EdgeException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
