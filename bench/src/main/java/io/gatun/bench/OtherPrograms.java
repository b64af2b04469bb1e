package io.gatun.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.function.Supplier;

/** How much of the processor other programs use while something is timed: what makes times noisy. Linux only. */
public final class OtherPrograms {
    private static final Path STAT = Path.of("/proc/stat");
    private static final int TICK_MS = 10; // USER_HZ is 100 wherever Linux runs
    private static final int IDLE = 3;
    private static final int IO_WAIT = 4;
    private static final int FIELDS = 8; // what follows is in the first two already

    private final Supplier<Duration> own;
    private final long[] before;
    private final Duration ownBefore;

    /**
     * Begins to watch.
     *
     * @param own the processor time that all what is timed has used so far
     */
    public OtherPrograms(Supplier<Duration> own) {
        this.own = own;
        this.before = ticks();
        this.ownBefore = own.get();
    }

    /** From 0 to 1, of all cores, since the watch began; nothing where the system does not tell. */
    public OptionalDouble share() {
        long[] now = ticks();
        if (now.length < FIELDS || before.length < FIELDS) {
            return OptionalDouble.empty();
        }
        long all = 0;
        long busy = 0;
        for (int i = 0; i < FIELDS; i++) {
            long spent = now[i] - before[i];
            all += spent;
            busy += i == IDLE || i == IO_WAIT ? 0 : spent;
        }
        double others = busy * (double) TICK_MS - own.get().minus(ownBefore).toMillis();
        return OptionalDouble.of(Math.clamp(others / Math.max(1, all * TICK_MS), 0, 1));
    }

    private static long[] ticks() {
        try {
            String line = Files.readAllLines(STAT).getFirst();
            return Arrays.stream(line.split("\\s+", -1))
                    .skip(1)
                    .mapToLong(Long::parseLong)
                    .toArray();
        } catch (IOException | NumberFormatException e) {
            return new long[0];
        }
    }
}
