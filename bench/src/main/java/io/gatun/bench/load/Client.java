package io.gatun.bench.load;

import java.util.function.Consumer;

/** Sends requests to one server and hears its answers. Thread-safe. */
interface Client extends AutoCloseable {
    /**
     * Sends a text, or lets it wait for a connection. Does not block.
     *
     * @param intended when it is to be sent, in {@link System#nanoTime}'s time
     * @param heard gets the answer on a thread of the client's, exactly once
     */
    void send(int text, long intended, Consumer<Answer> heard);

    /** Requests that are not answered yet. */
    int outstanding();

    /** What is outstanding is never answered. */
    @Override
    void close();
}
