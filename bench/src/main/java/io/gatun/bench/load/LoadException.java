package io.gatun.bench.load;

/** What keeps a measurement from running, in one sentence for the user. */
final class LoadException extends RuntimeException {
    private static final long serialVersionUID = 1;

    LoadException(String sentence) {
        super(sentence);
    }

    LoadException(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
