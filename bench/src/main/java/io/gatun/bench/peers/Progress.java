package io.gatun.bench.peers;

/** Hears what is being done, in a few words. */
@FunctionalInterface
interface Progress {
    void say(String what);
}
