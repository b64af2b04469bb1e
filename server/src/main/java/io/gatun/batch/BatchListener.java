package io.gatun.batch;

/** Hears of each batch as a lane takes it, on the lane's thread: be quick. */
@FunctionalInterface
public interface BatchListener {
    void batchTaken(int sequences, int tokens);
}
