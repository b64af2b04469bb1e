package io.gatun.kernel;

/** What the kernel refused or could not do, in one sentence that can be shown to a user. */
public final class KernelException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The kind of a failure. All but the first mirror the status codes of {@code gatun.h}. */
    public enum Status {
        /** The native library is missing, is not for this machine, or is another version. */
        LIBRARY,
        /** The caller broke a rule of the interface. */
        ARGUMENT,
        /** The model is no GGUF file, is truncated, or contradicts itself. */
        FORMAT,
        /** A sound file of an architecture, size or type that the kernel does not run. */
        UNSUPPORTED,
        /** The system gave no memory, or less was lent than is needed. */
        MEMORY,
        /** A batch breaks the bounds of its session or its model. */
        BATCH,
        /** A fault of the kernel itself. */
        INTERNAL;

        /** The status for a code other than {@code GT_OK}; one that is not known is {@link #INTERNAL}. */
        static Status of(int code) {
            return code > 0 && code < values().length ? values()[code] : INTERNAL;
        }
    }

    private final Status status;

    public KernelException(Status status, String message) {
        super(message);
        this.status = status;
    }

    public Status status() {
        return status;
    }
}
