package io.gatun.bench.peers;

/** What keeps the comparison from running, in one sentence for the user. */
final class PeersException extends RuntimeException {
    private static final long serialVersionUID = 1;

    PeersException(String sentence) {
        super(sentence);
    }

    PeersException(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
