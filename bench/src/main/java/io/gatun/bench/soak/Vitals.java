package io.gatun.bench.soak;

import io.gatun.bench.load.LoadException;
import io.gatun.bench.load.Usage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a server holds while nobody asks it anything.
 *
 * @param nativeBytes of models and lanes, as the server counts them
 * @param descriptors open files and sockets
 * @param liveHeap bytes that a garbage collection leaves
 * @param residentBytes told, but not judged: what allocators keep is not the server's to give back
 */
record Vitals(long nativeBytes, int threads, int descriptors, long liveHeap, long residentBytes) {
    /** Threads that the JVM, the compiler and the schedulers of virtual threads start when they see fit. */
    private static final int SPARE_THREADS = 3;

    private static final int SPARE_DESCRIPTORS = 3;
    private static final double SPARE_HEAP_SHARE = 0.05;
    private static final long SPARE_HEAP = 2 << 20;
    private static final int MEBI = 1 << 20;

    private static final Pattern NATIVE = Pattern.compile("(?m)^gatun_process_native_bytes ([0-9.E+]+)$");
    private static final Pattern USED = Pattern.compile("(?m)^ *(?!Metaspace|class)\\S.* used (\\d+)K");

    /** Asks the server, the system and, after a collection, the JVM. */
    static Vitals of(Line line, long pid) throws IOException, InterruptedException {
        jcmd(pid, "GC.run");
        long heap = used(jcmd(pid, "GC.heap_info"));
        Optional<Usage> usage = Usage.of(pid);
        String metrics = Questions.text(line.send(Line.request("GET", "/metrics", Map.of(), new byte[0]))
                .body());
        Matcher bytes = NATIVE.matcher(metrics);
        if (usage.isEmpty() || !bytes.find()) {
            throw new LoadException("The server does not tell what it holds: it has ended, or has no such metrics.");
        }
        return new Vitals(
                (long) Double.parseDouble(bytes.group(1)),
                usage.get().threads(),
                usage.get().descriptors(),
                heap,
                usage.get().residentBytes());
    }

    private static long used(String heapInfo) {
        Matcher used = USED.matcher(heapInfo);
        long sum = 0;
        while (used.find()) {
            sum += Long.parseLong(used.group(1)) << 10;
        }
        return sum;
    }

    private static String jcmd(long pid, String command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(), Long.toString(pid), command)
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new LoadException("jcmd " + command + " failed: " + said.strip());
        }
        return said;
    }

    /** What is more than before, each in one sentence. */
    List<String> growthSince(Vitals before) {
        List<String> grown = new ArrayList<>();
        compare("Native bytes", nativeBytes, before.nativeBytes, 0, grown);
        compare("Threads", threads, before.threads, SPARE_THREADS, grown);
        compare("File descriptors", descriptors, before.descriptors, SPARE_DESCRIPTORS, grown);
        compare(
                "Live heap",
                liveHeap,
                before.liveHeap,
                SPARE_HEAP + (long) (SPARE_HEAP_SHARE * before.liveHeap),
                grown);
        return grown;
    }

    private static void compare(String what, long now, long before, long spare, List<String> grown) {
        if (now > before + spare) {
            grown.add(what + " grew from " + before + " to " + now + ".");
        }
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "native %.1f MiB, %d threads, %d descriptors, live heap %.1f MiB, RSS %d MiB",
                nativeBytes / (double) MEBI,
                threads,
                descriptors,
                liveHeap / (double) MEBI,
                residentBytes / MEBI);
    }
}
