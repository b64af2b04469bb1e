package io.gatun.service;

/** The one who asked has left, and hears nothing any more. */
public final class CallerGoneException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    CallerGoneException() {
        super("The caller left.", null, false, false);
    }
}
