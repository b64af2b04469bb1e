package io.gatun.bench.load;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a process takes of the system. Linux only.
 *
 * @param residentBytes memory of the machine that it holds
 * @param descriptors open files and sockets
 * @param cpu that it used so far
 */
public record Usage(long residentBytes, int threads, int descriptors, Duration cpu) {
    private static final int TICK_MS = 10; // USER_HZ is 100 wherever Linux runs
    private static final int USER = 11; // of the fields behind the command's name, which may hold blanks
    private static final int SYSTEM = 12;

    /** Nothing where the system does not tell, or the process has ended. */
    public static Optional<Usage> of(long pid) {
        Path folder = Path.of("/proc", Long.toString(pid));
        try (Stream<Path> descriptors = Files.list(folder.resolve("fd"))) {
            long resident = 0;
            int threads = 0;
            for (String line : Files.readAllLines(folder.resolve("status"))) {
                String[] words = line.split("\\s+", -1);
                switch (words[0]) {
                    case "VmRSS:" -> resident = Long.parseLong(words[1]) << 10;
                    case "Threads:" -> threads = Integer.parseInt(words[1]);
                    default -> {}
                }
            }
            String stat = Files.readString(folder.resolve("stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            long ticks = Long.parseLong(fields[USER]) + Long.parseLong(fields[SYSTEM]);
            return Optional.of(
                    new Usage(resident, threads, (int) descriptors.count(), Duration.ofMillis(ticks * TICK_MS)));
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
