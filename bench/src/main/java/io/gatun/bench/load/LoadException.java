package io.gatun.bench.load;

/** What keeps a measurement from running, in one sentence for the user. */
public final class LoadException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public LoadException(String sentence) {
        super(sentence);
    }

    public LoadException(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
