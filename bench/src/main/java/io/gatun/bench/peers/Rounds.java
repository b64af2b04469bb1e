package io.gatun.bench.peers;

import io.gatun.bench.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Times engines in turns: in every round each has one, so that a noisy minute hurts all alike. Who begins moves on by
 * one a round. After a turn the next waits until the engine's threads no longer spin.
 *
 * @param least rounds a shape; one more goes before them and does not count
 * @param most rounds a shape
 * @param seconds after which no round begins, once there were enough
 */
record Rounds(int least, int most, int seconds, Turn turn) {
    private static final Turn WARM_UP = new Turn(20, 1, 10);

    /** Times the engines on one shape. */
    List<Result> time(Shape shape, List<Engine> engines, Progress progress) {
        Map<Engine, List<double[]>> times = new LinkedHashMap<>();
        List<Engine> order = new ArrayList<>(engines);
        round(shape, order, WARM_UP, new LinkedHashMap<>(), progress);
        long start = System.nanoTime();
        int rounds = 0;
        while (rounds < least || (rounds < most && System.nanoTime() - start < seconds * 1_000_000_000L)) {
            round(shape, order, turn, times, progress);
            Collections.rotate(order, -1);
            rounds++;
        }
        return engines.stream()
                .map(engine -> Result.of(
                        engine,
                        shape,
                        times.getOrDefault(engine, List.of()).stream()
                                .flatMapToDouble(Arrays::stream)
                                .toArray()))
                .toList();
    }

    private static void round(
            Shape shape, List<Engine> engines, Turn turn, Map<Engine, List<double[]>> times, Progress progress) {
        for (Engine engine : engines) {
            times.computeIfAbsent(engine, _ -> new ArrayList<>()).add(engine.turn(shape, turn));
            if (!Quiet.await(engine)) {
                progress.say(engine.name() + " still computes a second after its turn: the next times may suffer");
            }
        }
    }
}
