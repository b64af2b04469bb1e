package io.gatun.http;

import io.gatun.service.Call;
import io.gatun.service.RequestException;
import java.util.Optional;

/** Who asks a pipeline. */
interface Asked {
    /** What is asked of a model. */
    Call call();

    /** Takes memory for a large answer until the request is answered. */
    void reserve(long heapBytes) throws RequestException;

    /** A header of the request. */
    Optional<String> header(String name);

    /** A program that asks for itself: it has the heap to itself, and no headers. */
    record Alone(Call call) implements Asked {
        @Override
        public void reserve(long heapBytes) {}

        @Override
        public Optional<String> header(String name) {
            return Optional.empty();
        }
    }
}
