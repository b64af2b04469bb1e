package io.gatun.text;

/** A text or a vocabulary that cannot be tokenized, in one sentence for the one who sent it. */
public final class TokenizerException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TokenizerException(String message) {
        super(message);
    }

    TokenizerException(String message, Throwable cause) {
        super(message, cause);
    }
}
