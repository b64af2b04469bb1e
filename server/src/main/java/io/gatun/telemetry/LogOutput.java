package io.gatun.telemetry;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Lines on their way to standard error. Who writes one never waits: when the disk is full, or who reads the pipe stopped,
 * lines are dropped and counted. Thread-safe; owns one
 * thread, from the first line on.
 */
public final class LogOutput implements AutoCloseable {
    private static final int MAX_LINES = 4096;
    private static final int MAX_LINE_BYTES = 16 << 10;
    private static final Duration LAST_LINES = Duration.ofSeconds(1);

    private final BlockingQueue<byte[]> lines = new ArrayBlockingQueue<>(MAX_LINES);
    private final LongAdder dropped = new LongAdder();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final OutputStream out;
    private @Nullable Thread thread;

    /** Onto standard error. */
    public LogOutput() {
        // Not System.err: its lock is held while a write blocks.
        this(new FileOutputStream(FileDescriptor.err));
    }

    LogOutput(OutputStream out) {
        this.out = out;
    }

    /** From now on what the program itself logs goes the same way, each record in one line. */
    public void install() {
        Logger root = Logger.getLogger("");
        for (Handler handler : root.getHandlers()) {
            root.removeHandler(handler);
        }
        root.addHandler(new Records());
    }

    void write(String line) {
        start();
        byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
        if (bytes.length > MAX_LINE_BYTES || closed.get() || !lines.offer(bytes)) {
            dropped.increment();
        }
    }

    /** Lines that were lost so far. */
    public long dropped() {
        return dropped.sum();
    }

    private synchronized void start() {
        if (thread == null) {
            thread = Thread.ofPlatform().daemon().name("gatun-log").start(this::run);
        }
    }

    private void run() {
        boolean torn = false;
        try {
            while (!closed.get() || !lines.isEmpty()) {
                byte[] line = lines.poll(100, TimeUnit.MILLISECONDS);
                if (line == null) {
                    continue;
                }
                try {
                    if (torn) {
                        out.write('\n'); // a part of the line before may have been written
                    }
                    out.write(line);
                    torn = false;
                } catch (IOException e) {
                    torn = true;
                    dropped.increment();
                }
            }
        } catch (InterruptedException e) {
            // it took too long to close
        }
    }

    /** Writes what waits, for a second at most. */
    @Override
    public void close() {
        closed.set(true);
        Thread writer;
        synchronized (this) {
            writer = thread;
        }
        if (writer == null) {
            return;
        }
        try {
            if (!writer.join(LAST_LINES)) {
                writer.interrupt();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The program's own log. */
    private final class Records extends Handler {
        @Override
        public void publish(LogRecord entry) {
            if (isLoggable(entry)) {
                write(LogLine.of(entry));
            }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }
}
