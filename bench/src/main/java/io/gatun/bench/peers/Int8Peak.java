package io.gatun.bench.peers;

/** The most 8-bit multiplies that the processor does. */
@FunctionalInterface
interface Int8Peak {
    /** Measures it now: multiplies (with their additions) a second, of all threads together. */
    double multipliesPerSecond(int threads);
}
