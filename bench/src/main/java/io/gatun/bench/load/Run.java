package io.gatun.bench.load;

import java.util.OptionalDouble;

/**
 * One server at one rate.
 *
 * @param stage why it was measured
 * @param rate requests a second that were sent
 * @param latestMs the most that a request was sent late
 * @param clientCores processors that the generator used
 * @param serverCores processors that the server used, where that is known
 */
record Run(
        String server,
        String stage,
        double rate,
        Counted counted,
        double latestMs,
        double clientCores,
        OptionalDouble serverCores) {}
