package io.gatun.bench.soak;

import io.gatun.bench.load.ServerProcess;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One server under mixed traffic. From time to time the traffic pauses, and what the server then holds is compared with
 * what it held after it had become warm. Used by one thread.
 */
final class Soak {
    private static final int WORKERS = 8;
    private static final int WARM_TRIES = 3;
    private static final int CALM_TRIES = 20;
    private static final Duration CALM_STEP = Duration.ofMillis(500);
    private static final Duration LONGEST_WINDOW = Duration.ofMinutes(1);
    private static final int WARM_SHARE = 4;
    private static final int RELOAD_PAUSE_MS = 500;
    private static final Duration END_LIMIT = Duration.ofMinutes(1);

    private final ServerProcess server;
    private final String reloaded;
    private final long seed;
    private final Consumer<String> progress;
    private final Faults faults = new Faults();
    private final AtomicLong asked = new AtomicLong();
    private final AtomicLong reloads = new AtomicLong();
    private volatile boolean ended;
    /** Shared by those who ask, held alone by who wants quiet. Fair, or quiet would never come. */
    private final ReadWriteLock traffic = new ReentrantReadWriteLock(true);

    /**
     * A server that is ready, with a model that may be unloaded.
     *
     * @param reloaded that model's name
     */
    Soak(ServerProcess server, String reloaded, long seed, Consumer<String> progress) {
        this.server = server;
        this.reloaded = reloaded;
        this.seed = seed;
        this.progress = progress;
    }

    /** Something a thread does again and again. */
    @FunctionalInterface
    private interface Action {
        void run() throws IOException, InterruptedException;
    }

    /** Runs, and tells what was wrong, each in one sentence; nothing when all was right. */
    List<String> run(Duration length) throws IOException, InterruptedException {
        List<Thread> threads = new ArrayList<>();
        List<Line> lines = new ArrayList<>();
        try (Line watch = line()) {
            Questions questions = Questions.ask(watch, reloaded);
            progress.accept(questions.all().size() + " questions answered alone");
            for (int i = 0; i <= WORKERS; i++) {
                Line line = line();
                lines.add(line);
                Worker worker = new Worker(line, questions, faults, asked, new Random(seed + i));
                Action action = i < WORKERS ? worker::act : () -> reload(line);
                threads.add(Thread.ofPlatform().daemon().name("soak-" + i).start(() -> repeat(action)));
            }
            long end = System.nanoTime() + length.toNanos();
            Thread.sleep(length.dividedBy(WARM_SHARE));
            Vitals warm = quiet(watch, null);
            progress.accept("warm: " + warm);
            Vitals last = warm;
            while (System.nanoTime() < end) {
                Thread.sleep(Math.min(
                        LONGEST_WINDOW.toMillis(),
                        Math.max(1, Duration.ofNanos(end - System.nanoTime()).toMillis())));
                last = quiet(watch, warm);
                progress.accept(asked + " requests, " + reloads + " reloads: " + last);
            }
            last.growthSince(warm).forEach(faults::add);
        } finally {
            ended = true;
            for (Thread thread : threads) {
                thread.join(END_LIMIT);
            }
            for (Line line : lines) {
                line.close();
            }
        }
        return faults.sentences();
    }

    private Line line() {
        return new Line(server.address(false), server.address(true));
    }

    private void repeat(Action action) {
        try {
            while (!ended) {
                traffic.readLock().lockInterruptibly();
                try {
                    action.run();
                } finally {
                    traffic.readLock().unlock();
                }
            }
        } catch (IOException | InterruptedException | RuntimeException e) {
            faults.add("A client failed: " + e + ".");
        }
    }

    private void reload(Line line) throws IOException, InterruptedException {
        for (String what : List.of("unload", "load")) {
            Thread.sleep(RELOAD_PAUSE_MS);
            Reply reply = line.send(
                    Line.request("POST", "/v2/repository/models/" + reloaded + "/" + what, Map.of(), new byte[0]));
            if (!reply.isAnswer()) {
                faults.add("Status " + reply.status() + " for the " + what + " of " + reloaded + ": "
                        + Questions.text(reply.body()));
            }
        }
        reloads.incrementAndGet();
    }

    /**
     * What the server holds while nothing is asked. What clients left behind may need a moment to go, so it has some
     * tries to hold no more than before.
     */
    private Vitals quiet(Line line, @Nullable Vitals before) throws IOException, InterruptedException {
        traffic.writeLock().lockInterruptibly();
        try {
            for (int i = 1; ; i++) {
                Thread.sleep(CALM_STEP);
                Vitals now = Vitals.of(line, server.pid());
                boolean grown = before == null
                        ? i < WARM_TRIES
                        : !now.growthSince(before).isEmpty();
                if (!grown || i == CALM_TRIES) {
                    return now;
                }
            }
        } finally {
            traffic.writeLock().unlock();
        }
    }
}
